const NAME = "easel.draft";
const SCENE = "easel.scene";
/** The storage key of the thumbnails of start pictures (`lib/start-pictures.js`). */
export const START_PREVIEWS = "easel.starts";

/** Return the saved values of the create form by the API's field names; `{}` without a draft. */
export function readDraft(storage = localStorage, name = NAME) {
  try {
    const draft = JSON.parse(storage.getItem(name));
    return draft !== null && typeof draft === "object" && !Array.isArray(draft) ? draft : {};
  } catch {
    return {};
  }
}

/** Save a draft for the create form: any fields of `POST /v1/jobs`. Missing fields get the API's defaults. */
export function saveDraft(draft, storage = localStorage) {
  storage.setItem(NAME, JSON.stringify(draft));
}

/** The same for the form of a scene: any fields of `POST /v1/scenes`. */
export const readSceneDraft = (storage = localStorage) => readDraft(storage, SCENE);
export const saveSceneDraft = (draft, storage = localStorage) => storage.setItem(SCENE, JSON.stringify(draft));

/** Delete everything that this browser keeps of the forms, for the next user of this computer. */
export function clearDraft(storage = localStorage) {
  storage.removeItem(NAME);
  storage.removeItem(SCENE);
  storage.removeItem(START_PREVIEWS);
}
