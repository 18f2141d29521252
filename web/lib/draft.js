const NAME = "easel.draft";
/** The small copies of start pictures, kept by `lib/start-pictures.js`. */
export const START_PREVIEWS = "easel.starts";

/** What stands in the create form, by the API's names, kept between visits; `{}` when nothing does. */
export function readDraft(storage = localStorage) {
  try {
    const draft = JSON.parse(storage.getItem(NAME));
    return draft !== null && typeof draft === "object" && !Array.isArray(draft) ? draft : {};
  } catch {
    return {};
  }
}

/**
 * Puts another draft into the create form: any of the fields that `POST /v1/jobs` takes, the settings of a whole job too.
 * What is not named is as the API has it by itself.
 */
export function saveDraft(draft, storage = localStorage) {
  storage.setItem(NAME, JSON.stringify(draft));
}

/** Leaves nothing of the form in this browser, for whoever sits here next. */
export function clearDraft(storage = localStorage) {
  storage.removeItem(NAME);
  storage.removeItem(START_PREVIEWS);
}
