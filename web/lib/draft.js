const NAME = "easel.draft";

/** What stands in the create form, kept over a reload and over logging in; `{}` when nothing does. */
export function readDraft(storage = sessionStorage) {
  try {
    return JSON.parse(storage.getItem(NAME)) ?? {};
  } catch {
    return {};
  }
}

export function keepDraft(draft, storage = sessionStorage) {
  storage.setItem(NAME, JSON.stringify(draft));
}
