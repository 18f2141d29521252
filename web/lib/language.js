/** The site's languages by their native names. `text/<key>.js` holds the texts. */
export const LANGUAGES = { en: "English", ru: "Русский" };

const NAME = "easel.language";

/** Return the chosen language, else the first supported one of the browser, else English. */
export function pickLanguage(chosen, preferred) {
  const known = (tag) => Object.keys(LANGUAGES).find((key) => key === tag?.toLowerCase().split("-")[0]);
  return [chosen, ...preferred].map(known).find(Boolean) ?? "en";
}

/** Return the language for this browser. */
export function rememberedLanguage(storage = localStorage, preferred = navigator.languages) {
  return pickLanguage(storage.getItem(NAME), preferred);
}

export function rememberLanguage(key, storage = localStorage) {
  storage.setItem(NAME, key);
}
