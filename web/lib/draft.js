const NAME = "easel.draft";
/** The storage key of the thumbnails of start pictures (`lib/start-pictures.js`). */
export const START_PREVIEWS = "easel.starts";

/** Return the saved values of the create form by the API's field names; `{}` without a draft. */
export function readDraft(storage = localStorage) {
  try {
    const draft = JSON.parse(storage.getItem(NAME));
    return draft !== null && typeof draft === "object" && !Array.isArray(draft) ? draft : {};
  } catch {
    return {};
  }
}

/** Save a draft for the create form: any fields of `POST /v1/jobs`. Missing fields get the API's defaults. */
export function saveDraft(draft, storage = localStorage) {
  storage.setItem(NAME, JSON.stringify(draft));
}

/** Delete everything that this browser keeps of the form, for the next user of this computer. */
export function clearDraft(storage = localStorage) {
  storage.removeItem(NAME);
  storage.removeItem(START_PREVIEWS);
}
