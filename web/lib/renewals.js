/**
 * What is to be renewed at a time of its own: pictures whose presigned URL runs out before they were loaded.
 *
 * An entry is `{at, isGone, renew}`: the time (milliseconds), whether it is needed no more, and what to do. It is renewed
 * once. `wait(ms, action)` calls the action later and answers the function that takes that back.
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

  /** Renews all whose time has come; until `Infinity` means everything that still waits. */
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

/** Longer waits overflow a browser's timer; the next look then comes early and finds nothing due. */
const LONGEST_WAIT_MS = 24 * 3600 * 1000;

function waitByTimer(ms, action) {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}
