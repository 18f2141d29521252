/**
 * Gives each submission its Idempotency-Key, so that a double click, a lost reply or a reload makes one job.
 *
 * The same body keeps its key until the server has answered for certain (`settle`); another body gets a new one.
 * `storage` (sessionStorage or alike) carries the open submission over a reload.
 */
export class Submission {
  #storage;
  #newKey;

  constructor(storage, newKey = () => crypto.randomUUID()) {
    this.#storage = storage;
    this.#newKey = newKey;
  }

  keyFor(body) {
    const text = JSON.stringify(body);
    const open = this.#read();
    if (open?.text === text) return open.key;
    const key = this.#newKey();
    this.#storage.setItem(NAME, JSON.stringify({ text, key }));
    return key;
  }

  settle() {
    this.#storage.removeItem(NAME);
  }

  #read() {
    try {
      return JSON.parse(this.#storage.getItem(NAME));
    } catch {
      return null;
    }
  }
}

const NAME = "easel.submission";
