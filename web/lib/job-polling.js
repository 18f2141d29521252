import { retryDelayMs } from "./backoff.js";
import { FINISHED, isOlder } from "./job-state.js";

/** How long the server is asked to hold its answer until the job changes. */
const WAIT_S = 20;
/** The minimum delay between two requests. */
const MIN_DELAY_MS = 300;
/** The delay when the server neither holds its answers nor sends Retry-After. */
const DEFAULT_DELAY_MS = 2_000;
/**
 * The interval of a hidden page, which does not ask the server to hold its answer: a held request occupies one of the
 * few connections per site, which the visible page needs. It still polls for its title and the notification.
 */
const HIDDEN_MS = 15_000;

/**
 * Polls one job until it is finished.
 *
 * `ask(etag, waitS, signal)` fetches it (`{status, data, etag, retryAfterMs}`). `onJob(job)` gets every change,
 * `onLost(isLost)` reports when the connection is lost and back, `onAnswer({etag, job})` gets every answer, for other
 * tabs. `isHidden()` says whether the page is hidden. `pause(ms, signal)` waits, and may end early when polling makes
 * sense again (page visible, network back). Both reject when their signal is aborted.
 */
export class JobPolling {
  #etag = null;
  #job = null;
  #failures = 0;
  #lastAnswer = -Infinity;
  #end = new AbortController();
  #options;

  constructor({
    onLost = () => {},
    onAnswer = () => {},
    isHidden = () => false,
    now = () => performance.now(),
    ...options
  }) {
    this.#options = { onLost, onAnswer, isHidden, now, ...options };
  }

  /**
   * Poll until the job is finished. Resolves to it. Rejects with errors that a retry cannot fix (job deleted, session
   * expired).
   */
  async run() {
    const { isHidden, now, pause } = this.#options;
    while (!this.#isOver) {
      const quietMs = isHidden() ? HIDDEN_MS - (now() - this.#lastAnswer) : 0;
      const restMs = quietMs > 0 ? quietMs : await this.#poll();
      if (!this.#isOver) await pause(restMs, this.#end.signal).catch((error) => this.#endOrThrow(error));
    }
    this.#succeed();
    return this.#job;
  }

  /** Use an answer that another tab got, or one to another request (then without an etag), like an own one. */
  receive({ etag, job }) {
    this.#lastAnswer = this.#options.now();
    if (job !== null && (etag === null || etag !== this.#etag)) this.#take(etag, job);
    if (this.#isOver) this.#end.abort();
  }

  get #isOver() {
    return this.#job !== null && FINISHED.has(this.#job.state);
  }

  /** Send one request. Resolves to the delay before the next one. */
  async #poll() {
    const { ask, isHidden, now, onAnswer } = this.#options;
    const asked = now();
    try {
      const waitS = this.#etag === null || isHidden() ? null : WAIT_S;
      const answer = await ask(this.#etag, waitS, this.#end.signal);
      this.#lastAnswer = now();
      this.#succeed();
      const hasChanged = answer.status !== 304 && (this.#etag === null || answer.etag !== this.#etag);
      onAnswer({ etag: answer.etag, job: answer.data });
      if (hasChanged) this.#take(answer.etag, answer.data);
      return delayMs({ hasChanged, heldMs: now() - asked, retryAfterMs: answer.retryAfterMs });
    } catch (error) {
      return this.#isOver ? 0 : this.#fail(error);
    }
  }

  #take(etag, job) {
    if (isOlder(job, this.#job)) return;
    this.#etag = etag;
    this.#job = job;
    this.#options.onJob(job);
  }

  #succeed() {
    if (this.#failures > 0) this.#options.onLost(false);
    this.#failures = 0;
  }

  #fail(error) {
    if (!error.isPassing) throw error;
    if (this.#failures === 0) this.#options.onLost(true);
    this.#lastAnswer = this.#options.now();
    this.#failures += 1;
    return Math.max(retryDelayMs(this.#failures), error.retryAfterMs ?? 0);
  }

  /** An end reported by another tab aborts the pause; that is not an error. */
  #endOrThrow(error) {
    if (!this.#isOver) throw error;
  }
}

/** Return the delay after an answer: short if the server holds its answers, else as Retry-After says. */
function delayMs({ hasChanged, heldMs, retryAfterMs }) {
  if (hasChanged || heldMs > 1_000) return MIN_DELAY_MS;
  return retryAfterMs ?? DEFAULT_DELAY_MS;
}
