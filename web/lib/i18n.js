/** The locale of dates and numbers for each language. */
const LOCALES = { en: "en-GB", ru: "ru-RU" };

let words = {};
const added = Object.create(null);
let locale = LOCALES.en;

/** Load the texts of a language. Must finish before `t` is called. */
export async function loadWords(language) {
  ({ words } = await import(`../text/${language}.js`));
  locale = LOCALES[language];
}

/** Load further texts, those of pages that few visits lead to. Must finish before their views are called. */
export async function addWords(part, language) {
  Object.assign(added, (await import(`../text/${part}-${language}.js`)).words);
}

/** Return the locale for Intl. */
export const currentLocale = () => locale;

/** Return the text for a key; entries that are functions get `values`. Throws a RangeError for an unknown key. */
export function t(key, values = {}) {
  const entry = Object.hasOwn(words, key) ? words[key] : added[key];
  if (entry === undefined) throw new RangeError(`no words for ${key}`);
  return typeof entry === "function" ? entry(values) : entry;
}

/** Return the text for a key from the server, or `spare` if the site has none yet. */
export function tOr(key, spare, values = {}) {
  return Object.hasOwn(words, key) || key in added ? t(key, values) : spare;
}
