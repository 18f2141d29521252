const NAME = "easel.submission";
/** More submissions than this without an answer are not remembered; the oldest goes first. */
const MOST = 10;

/**
 * Gives each submission its Idempotency-Key, so that a double click, a lost reply or a reload makes one job.
 *
 * The same body keeps its key until the server has answered for certain (`settle`); another body has one of its own.
 * `storage` (sessionStorage or alike) carries the open submissions over a reload.
 */
export class Submission {
  #storage;
  #newKey;
  #text = null;

  constructor(storage, newKey = () => crypto.randomUUID()) {
    this.#storage = storage;
    this.#newKey = newKey;
  }

  keyFor(body) {
    this.#text = JSON.stringify(body);
    const open = this.#read();
    const known = open.find(({ text }) => text === this.#text);
    if (known) return known.key;
    const key = this.#newKey();
    this.#write([...open, { text: this.#text, key }].slice(-MOST));
    return key;
  }

  /** The server has answered the submission that asked for its key last. */
  settle() {
    this.#write(this.#read().filter(({ text }) => text !== this.#text));
  }

  #read() {
    try {
      const open = JSON.parse(this.#storage.getItem(NAME));
      return Array.isArray(open) ? open : [];
    } catch {
      return [];
    }
  }

  #write(open) {
    if (open.length > 0) this.#storage.setItem(NAME, JSON.stringify(open));
    else this.#storage.removeItem(NAME);
  }
}
