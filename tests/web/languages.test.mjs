import assert from "node:assert/strict";
import { test } from "node:test";
import { currentLocale, loadWords, t, tOr } from "../../web/lib/i18n.js";
import { LANGUAGES, pickLanguage, rememberedLanguage, rememberLanguage } from "../../web/lib/language.js";
import { spanInWords } from "../../web/lib/time.js";

/** Every word of a language, those of single pages included. */
async function load(language) {
  const files = await Promise.all(
    ["", "account-", "job-"].map((part) => import(`../../web/text/${part}${language}.js`)),
  );
  return Object.assign({}, ...files.map(({ words }) => words));
}
const english = await load("en");
/** The names of the values that an entry takes, in order of the alphabet. */
const takes = (entry) =>
  [...(/^\(\{([^}]*)\}\)/.exec(String(entry))?.[1].matchAll(/\w+/g) ?? [])].map(([name]) => name).toSorted();
const SAME_EVERYWHERE = new Set(["site.name", "footer.api", "undo.keys"]);

for (const language of Object.keys(LANGUAGES)) {
  test(`${language} has every word that English has, with the same values`, async () => {
    const words = await load(language);
    assert.deepEqual(Object.keys(words), Object.keys(english), "the same keys in the same order");
    for (const [key, entry] of Object.entries(words)) {
      assert.equal(typeof entry, typeof english[key], key);
      assert.deepEqual(takes(entry), takes(english[key]), key);
      if (typeof entry === "string") assert.notEqual(entry.trim(), "", key);
    }
  });
}

test("the reason of a loading model names the seconds, if there are any", async () => {
  for (const language of Object.keys(LANGUAGES)) {
    const say = (await load(language))["reason.generator_loading"];
    assert.match(say({ detail: "The generator is loading its model, which takes about 40 s." }), /40 /);
    for (const detail of ["The generator is loading its model.", null]) assert.doesNotMatch(say({ detail }), /\d|null/);
  }
});

test("nothing is left in English", async () => {
  const words = await load("ru");
  const isTranslated = ([key, entry]) =>
    typeof entry === "function" || SAME_EVERYWHERE.has(key) || /[а-яё]/i.test(entry);
  assert.deepEqual(
    Object.entries(words).filter((pair) => !isTranslated(pair)),
    [],
  );
});

test("the language is the chosen one, else the first supported one of the browser", () => {
  assert.equal(pickLanguage(null, ["de-DE", "ru-RU", "en"]), "ru");
  assert.equal(pickLanguage("en", ["ru"]), "en");
  assert.equal(pickLanguage("tlh", ["RU"]), "ru");
  assert.equal(pickLanguage(null, ["de"]), "en");
  assert.equal(pickLanguage(null, []), "en");
  const kept = new Map();
  const storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value) };
  assert.equal(rememberedLanguage(storage, ["en-US"]), "en");
  rememberLanguage("ru", storage);
  assert.equal(rememberedLanguage(storage, ["en-US"]), "ru");
});

test("words, dates and spans follow the language", async () => {
  await loadWords("ru");
  assert.equal(t("nav.gallery"), "Галерея");
  assert.equal(currentLocale(), "ru-RU");
  assert.equal(spanInWords(40), "40 секунд");
  assert.equal(t("pictures.count", { n: 3 }), "3 картины");
  assert.equal(t("pictures.count", { n: 11 }), "11 картин");
  await loadWords("en");
  assert.equal(spanInWords(40), "40 seconds");
  assert.equal(tOr("event.unheard_of", "spare"), "spare");
  assert.throws(() => t("event.unheard_of"), /no words/);
});
