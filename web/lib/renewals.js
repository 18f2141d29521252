/**
 * Actions with a due time: renewing the presigned URLs of pictures that expire before they are loaded.
 *
 * An entry is `{at, isGone, renew}`: the time in ms, whether it is obsolete, and the action, which runs once. `wait(ms,
 * action)` schedules an action and returns a function that cancels it.
 */
export class Renewals {
  #entries = new Set();
  #now;
  #wait;
  #armed = { at: Infinity, cancel: () => {} };

  constructor({ now = Date.now, wait = waitByTimer } = {}) {
    this.#now = now;
    this.#wait = wait;
  }

  get size() {
    return this.#entries.size;
  }

  add(entry) {
    this.#entries.add(entry);
    if (entry.at < this.#armed.at) this.#arm(entry.at);
  }

  delete(entry) {
    this.#entries.delete(entry);
  }

  /** Renew all entries that are due; `Infinity` renews every entry. */
  renewDue(until = this.#now()) {
    for (const entry of [...this.#entries]) {
      const isDue = entry.at <= until;
      const isGone = entry.isGone();
      if (isDue || isGone) this.#entries.delete(entry);
      if (isDue && !isGone) entry.renew();
    }
    this.#arm(Math.min(...[...this.#entries].map(({ at }) => at)));
  }

  #arm(at) {
    this.#armed.cancel();
    const ms = Math.min(Math.max(0, at - this.#now()), LONGEST_WAIT_MS);
    const cancel = at === Infinity ? () => {} : this.#wait(ms, () => this.renewDue());
    this.#armed = { at, cancel };
  }
}

/** Longer waits overflow a browser's timer; the timer then fires early and finds nothing due. */
const LONGEST_WAIT_MS = 24 * 3600 * 1000;

function waitByTimer(ms, action) {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}
