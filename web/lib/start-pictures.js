import { START_PREVIEWS } from "./draft.js";
import { UPLOAD_BYTES, UPLOAD_TYPES } from "./picture-storage.js";

const HAS_KEY = new Set(["ready", "good", "refused"]);
/** How many previews are kept for the keys of drafts. */
const MOST_KEPT = 12;

/**
 * The start pictures of the create form, from the file to the key for `source_images`.
 *
 * `items` are `{id, name, state, progress, key, preview, url, file, error}`. States: `waiting` (for a login),
 * `sending`, `ready` (has a key), `failed` (`error` says why; can be retried), `good` and `refused` (has a key, and the API
 * has looked at it) and `lost` (the key is no longer valid); `error.codes` say why. `preview` is a data URL or null; `url`
 * shows the file in full size while it is available.
 * Every change fires "change"; uploads continue while other views are shown.
 *
 * `upload(file, {onProgress, signal})` resolves to a key, `preview(file)` to a data URL; `mayUpload()` says whether a
 * user is logged in.
 */
export class StartPictures extends EventTarget {
  items = [];
  #upload;
  #preview;
  #mayUpload;
  #storage;
  #count = 0;

  constructor({ upload, preview, mayUpload, storage = localStorage }) {
    super();
    this.#upload = upload;
    this.#preview = preview;
    this.#mayUpload = mayUpload;
    this.#storage = storage;
  }

  /**
   * Add a file and upload it. Resolves to null, or to the reason for refusing it: "type", "size", "count", "broken",
   * or one of `preview`.
   */
  async add(file, most = Infinity) {
    if (!UPLOAD_TYPES.includes(file.type)) return "type";
    if (file.size > UPLOAD_BYTES) return "size";
    if (this.items.length >= most) return "count";
    const item = this.#newItem({ name: file.name, file });
    this.items.push(item);
    try {
      item.preview = await this.#preview(file);
    } catch (error) {
      this.remove(item.id);
      return error.reason ?? "broken";
    }
    if (!this.items.includes(item)) return null;
    item.url = URL.createObjectURL(file);
    this.#send(item);
    return null;
  }

  /** Remove a picture and abort its upload. */
  remove(id) {
    const item = this.items.find((one) => one.id === id);
    if (!item) return;
    this.items = this.items.filter((one) => one !== item);
    item.leaving.abort();
    if (item.url) URL.revokeObjectURL(item.url);
    this.#notify();
  }

  clear() {
    for (const { id } of [...this.items]) this.remove(id);
  }

  /** Retry the upload of a picture whose file is still available. */
  retry(id) {
    const item = this.items.find((one) => one.id === id && one.file);
    if (item) this.#send(item);
  }

  /** Upload the pictures that waited for a login. */
  sendWaiting() {
    for (const item of this.items.filter(({ state }) => state === "waiting")) this.#send(item);
  }

  /** Return the keys of all uploaded pictures, in order. */
  keys() {
    return this.items.filter(({ state }) => HAS_KEY.has(state)).map(({ key }) => key);
  }

  /** Show the pictures with these keys of a draft, and those without a key yet. */
  restore(keys) {
    const kept = this.#readKept();
    for (const { id, key, state } of [...this.items]) if (HAS_KEY.has(state) && !keys.includes(key)) this.remove(id);
    for (const key of keys.filter((one) => !this.keys().includes(one))) {
      const known = kept.find((one) => one.key === key);
      this.items.push(this.#newItem({ name: known?.name ?? "", key, preview: known?.preview ?? null, state: "ready" }));
    }
    this.#notify();
  }

  /** Mark a key as refused by the API; the user has to add its picture again. */
  markLost(key, code = "not_uploaded") {
    const item = this.items.find((one) => one.key === key);
    if (!item) return;
    Object.assign(item, { state: "lost", key: null, error: { codes: [code] } });
    this.#writeKept(this.#readKept().filter((one) => one.key !== key));
    this.#notify();
  }

  /**
   * Say what the API has found in the pictures with these keys: `refused` is `{key: codes}`, everything that is wrong with
   * each; the others are good.
   *
   * Refused ones keep their keys: another picture of the set may be the one that is replaced.
   */
  judge(keys, refused) {
    for (const item of this.items.filter(({ key }) => keys.includes(key))) {
      const codes = refused[item.key];
      Object.assign(item, codes ? { state: "refused", error: { codes } } : { state: "good", error: null });
    }
    this.#notify();
  }

  /** Forget what `judge` has said: it would be another judgement now. */
  unjudge() {
    for (const item of this.items.filter(({ state }) => HAS_KEY.has(state)))
      Object.assign(item, { state: "ready", error: null });
    this.#notify();
  }

  /** Wait until no upload is running. Rejects with the reason of `signal`. */
  async settled(signal) {
    while (this.items.some(({ state }) => state === "sending")) {
      await new Promise((resolve, reject) => {
        this.addEventListener("change", resolve, { once: true });
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    }
  }

  #newItem(values) {
    this.#count += 1;
    const empty = { state: "sending", progress: 0, key: null, preview: null, url: null, file: null, error: null };
    return { id: this.#count, ...empty, leaving: new AbortController(), ...values };
  }

  async #send(item) {
    if (!this.#mayUpload()) return this.#change(item, { state: "waiting" });
    this.#change(item, { state: "sending", progress: 0, error: null });
    try {
      const onProgress = (progress) => this.#change(item, { progress });
      const key = await this.#upload(item.file, { onProgress, signal: item.leaving.signal });
      this.#writeKept([...this.#readKept(), { key, name: item.name, preview: item.preview }]);
      this.#change(item, { state: "ready", progress: 1, key });
    } catch (error) {
      this.#change(item, error.status === 401 ? { state: "waiting" } : { state: "failed", error });
    }
  }

  #change(item, values) {
    Object.assign(item, values);
    this.#notify();
  }

  #notify() {
    this.dispatchEvent(new Event("change"));
  }

  #readKept() {
    try {
      const kept = JSON.parse(this.#storage.getItem(START_PREVIEWS));
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }

  #writeKept(kept) {
    try {
      this.#storage.setItem(START_PREVIEWS, JSON.stringify(kept.slice(-MOST_KEPT)));
    } catch {
      // The storage is full: after a reload the pictures are shown without previews.
      this.#storage.removeItem(START_PREVIEWS);
    }
  }
}
