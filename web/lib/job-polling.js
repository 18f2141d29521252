import { retryDelayMs } from "./backoff.js";
import { FINISHED, isOlder } from "./job-state.js";

/** How long the server is asked to hold its answer until the job changes. */
const WAIT_S = 20;
/** A job that changes quickly is looked at no more often than this. */
const MIN_DELAY_MS = 300;
/** A server that neither holds its answers nor says when to come back is asked this often. */
const DEFAULT_DELAY_MS = 2_000;
/**
 * A page that nobody sees asks this seldom, and has no answer held: each held answer takes one of the few connections that
 * a browser opens to a site, away from the page that somebody does see. It still asks, for its title and the notification.
 */
const HIDDEN_MS = 15_000;

/**
 * Follows one job until it is finished.
 *
 * `ask(etag, waitS, signal)` fetches it (`{status, data, etag, retryAfterMs}`); `onJob(job)` hears every change, `onLost(isLost)`
 * when the connection goes and comes back; `onAnswer({etag, job})` hears every answer, for other tabs. `isHidden()` tells
 * whether nobody sees the page. `pause(ms, signal)` waits, and may end early when something happened that makes it worth
 * asking (the page is seen again, the network is back). Both reject when their signal is aborted.
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

  /** Resolves to the finished job. Rejects with errors that no repetition heals: the job is gone, the session is dead. */
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

  /** Takes an answer that came to another tab, or to another question (then without an etag), as if it were one of ours. */
  receive({ etag, job }) {
    this.#lastAnswer = this.#options.now();
    if (job !== null && (etag === null || etag !== this.#etag)) this.#take(etag, job);
    if (this.#isOver) this.#end.abort();
  }

  get #isOver() {
    return this.#job !== null && FINISHED.has(this.#job.state);
  }

  /** Asks once; resolves to the time until the next question. */
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

  /** The end heard from another tab ends a pause, too; that is no error. */
  #endOrThrow(error) {
    if (!this.#isOver) throw error;
  }
}

/** A server that holds its answers sets the pace itself; one that answers at once is asked as often as it says. */
function delayMs({ hasChanged, heldMs, retryAfterMs }) {
  if (hasChanged || heldMs > 1_000) return MIN_DELAY_MS;
  return retryAfterMs ?? DEFAULT_DELAY_MS;
}
