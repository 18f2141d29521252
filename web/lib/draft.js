const NAME = "easel.draft";
const SCENE = "easel.scene";
/** The storage key of the thumbnails of start pictures (`lib/start-pictures.js`). */
export const START_PREVIEWS = "easel.starts";

/** For each storage the codes of likenesses by the draft's name: they are secrets, and stay in this tab's memory. */
const codes = new WeakMap();

/** Return the saved values of the create form by the API's field names; `{}` without a draft. */
export const readDraft = (storage = localStorage) => read(storage, NAME);

/** Save a draft for the create form: any fields of `POST /v1/jobs`. Missing fields get the API's defaults. */
export const saveDraft = (draft, storage = localStorage) => save(storage, NAME, draft);

/** The same for the form of a scene: any fields of `POST /v1/scenes`. */
export const readSceneDraft = (storage = localStorage) => read(storage, SCENE);
export const saveSceneDraft = (draft, storage = localStorage) => save(storage, SCENE, draft);

/** Delete everything that this browser keeps of the forms, for the next user of this computer. */
export function clearDraft(storage = localStorage) {
  storage.removeItem(NAME);
  storage.removeItem(SCENE);
  storage.removeItem(START_PREVIEWS);
  codes.delete(storage);
}

function read(storage, name) {
  const likeness = codes.get(storage)?.[name];
  return { ...readStored(storage, name), ...(likeness ? { likeness } : {}) };
}

function readStored(storage, name) {
  try {
    const draft = JSON.parse(storage.getItem(name));
    if (draft === null || typeof draft !== "object" || Array.isArray(draft)) return {};
    const { likeness: _, ...kept } = draft; // earlier versions stored it
    return kept;
  } catch {
    return {};
  }
}

function save(storage, name, { likeness, ...draft }) {
  codes.set(storage, { ...codes.get(storage), [name]: likeness });
  storage.setItem(name, JSON.stringify(draft));
}
