import { START_PREVIEWS } from "./draft.js";
import { UPLOAD_BYTES, UPLOAD_TYPES } from "./picture-storage.js";

/** So many small copies are kept for the keys that drafts may name. */
const MOST_KEPT = 12;

/**
 * The start pictures of the create form, from the file to the key that names it in `source_images`.
 *
 * `items` are `{id, name, state, progress, key, preview, url, file, error}`. The states: `waiting` (for somebody to log
 * in), `sending`, `ready` (it has its key), `failed` (`error` says why; it can be sent again) and `lost` (it had a key
 * that counts no longer; `error.code` says why). `preview` is a small copy as a data URL, null where none is known, and `url` shows it full size
 * while the file is at hand. Every change fires `change`; uploads go on while other views are shown.
 *
 * `upload(file, {onProgress, signal})` resolves to a key, `preview(file)` to a data URL; `mayUpload()` says whether
 * somebody is logged in.
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

  /** Takes a file and sends it. Resolves to null, or to the reason why it is not taken: a code that has words. */
  async add(file, most = Infinity) {
    if (!UPLOAD_TYPES.includes(file.type)) return "type";
    if (file.size > UPLOAD_BYTES) return "size";
    if (this.items.length >= most) return "count";
    const item = this.#newItem({ name: file.name, file });
    this.items.push(item);
    try {
      item.preview = await this.#preview(file);
    } catch {
      this.remove(item.id);
      return "broken";
    }
    if (!this.items.includes(item)) return null;
    item.url = URL.createObjectURL(file);
    this.#send(item);
    return null;
  }

  /** Takes a picture away, and stops it when it is on its way. */
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

  /** Sends a picture again whose file is still at hand. */
  retry(id) {
    const item = this.items.find((one) => one.id === id && one.file);
    if (item) this.#send(item);
  }

  /** Sends what waited for somebody to log in. */
  sendWaiting() {
    for (const item of this.items.filter(({ state }) => state === "waiting")) this.#send(item);
  }

  /** The keys of all pictures that have arrived, in order. */
  keys() {
    return this.items.filter(({ state }) => state === "ready").map(({ key }) => key);
  }

  /** Shows the pictures of these keys, as a draft names them, beside those that have no key yet. */
  restore(keys) {
    const kept = this.#readKept();
    for (const { id, key, state } of [...this.items]) if (state === "ready" && !keys.includes(key)) this.remove(id);
    for (const key of keys.filter((one) => !this.keys().includes(one))) {
      const known = kept.find((one) => one.key === key);
      this.items.push(this.#newItem({ name: known?.name ?? "", key, preview: known?.preview ?? null, state: "ready" }));
    }
    this.#notify();
  }

  /** The API does not take this key, and `code` says why: its picture has to be given again. */
  markLost(key, code = "not_uploaded") {
    const item = this.items.find((one) => one.key === key);
    if (!item) return;
    Object.assign(item, { state: "lost", key: null, error: { code } });
    this.#writeKept(this.#readKept().filter((one) => one.key !== key));
    this.#notify();
  }

  /** Resolves when nothing is on its way any more; rejects with the reason of `signal`. */
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
      // The browser's room is used up: the pictures are then shown without their small copies after a reload.
      this.#storage.removeItem(START_PREVIEWS);
    }
  }
}
