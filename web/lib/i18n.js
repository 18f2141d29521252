/** How dates and numbers are written in each language. */
const LOCALES = { en: "en-GB", ru: "ru-RU" };

let words = {};
let locale = LOCALES.en;

/** Fetches the words of a language; nothing can be said before. */
export async function loadWords(language) {
  ({ words } = await import(`../text/${language}.js`));
  locale = LOCALES[language];
}

/** The language of dates and numbers, as Intl takes it. */
export const currentLocale = () => locale;

/** The words for a key; an entry that is a function is given `values`. A key without words is a mistake. */
export function t(key, values = {}) {
  if (!Object.hasOwn(words, key)) throw new RangeError(`no words for ${key}`);
  const entry = words[key];
  return typeof entry === "function" ? entry(values) : entry;
}

/** The words for a key that the server may know and this site may not yet: `spare` then stands in. */
export function tOr(key, spare, values = {}) {
  return Object.hasOwn(words, key) ? t(key, values) : spare;
}
