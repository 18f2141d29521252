/** The languages of the site, each by its own name. `text/<key>.js` holds the words of each. */
export const LANGUAGES = { en: "English", ru: "Русский" };

const NAME = "easel.language";

/** The language that was chosen here, else the first of the browser's own that the site speaks, else English. */
export function pickLanguage(chosen, preferred) {
  const known = (tag) => Object.keys(LANGUAGES).find((key) => key === tag?.toLowerCase().split("-")[0]);
  return [chosen, ...preferred].map(known).find(Boolean) ?? "en";
}

/** What `pickLanguage` finds for this person. */
export function rememberedLanguage(storage = localStorage, preferred = navigator.languages) {
  return pickLanguage(storage.getItem(NAME), preferred);
}

export function rememberLanguage(key, storage = localStorage) {
  storage.setItem(NAME, key);
}
