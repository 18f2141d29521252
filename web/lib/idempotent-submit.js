import { submitJob } from "./api.js";

const NAME = "easel.submission";
/** Unanswered submissions that are remembered; the oldest is dropped first. */
const MAX_OPEN = 10;

/**
 * The Idempotency-Keys of submissions that the server has not definitely answered yet.
 *
 * They are kept in `storage` (sessionStorage by default), so that a retry after a reload sends the same key again.
 */
export class SubmissionKeys {
  #storage;
  #newKey;

  constructor(storage = sessionStorage, newKey = () => crypto.randomUUID()) {
    this.#storage = storage;
    this.#newKey = newKey;
  }

  /** Return the key of an open submission, or a new key for another one. */
  keyFor(submission) {
    const text = JSON.stringify(submission);
    const open = this.#read();
    const known = open.find((entry) => entry.text === text);
    if (known) return known.key;
    const key = this.#newKey();
    this.#write([...open, { text, key }].slice(-MAX_OPEN));
    return key;
  }

  /** Forget the key of a submission: the server has answered it. */
  settle(submission) {
    const settled = JSON.stringify(submission);
    this.#write(this.#read().filter(({ text }) => text !== settled));
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

/**
 * Submit a job once, however often it is sent: a double click, a lost reply or a reload creates one job.
 *
 * The same body from the same `source` (the form or a button) keeps its Idempotency-Key until the server has definitely
 * answered. Resolves to the job. Rejects with an ApiError, or with the reason of `signal`.
 */
export async function submitOnce(
  body,
  { source = "form", signal, keys = new SubmissionKeys(), submit = submitJob } = {},
) {
  const submission = { source, body };
  try {
    const job = await submit(body, keys.keyFor(submission), { signal });
    keys.settle(submission);
    return job;
  } catch (error) {
    if (error.name === "ApiError" && !error.isPassing) keys.settle(submission);
    throw error;
  }
}
