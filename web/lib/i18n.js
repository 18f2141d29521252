/** The locale of dates and numbers for each language. */
const LOCALES = { en: "en-GB", ru: "ru-RU" };

let words = {};
let locale = LOCALES.en;

/** Load the texts of a language. Must finish before `t` is called. */
export async function loadWords(language) {
  ({ words } = await import(`../text/${language}.js`));
  locale = LOCALES[language];
}

/** Return the locale for Intl. */
export const currentLocale = () => locale;

/** Return the text for a key; entries that are functions get `values`. Throws a RangeError for an unknown key. */
export function t(key, values = {}) {
  if (!Object.hasOwn(words, key)) throw new RangeError(`no words for ${key}`);
  const entry = words[key];
  return typeof entry === "function" ? entry(values) : entry;
}

/** Return the text for a key from the server, or `spare` if the site has none yet. */
export function tOr(key, spare, values = {}) {
  return Object.hasOwn(words, key) ? t(key, values) : spare;
}
