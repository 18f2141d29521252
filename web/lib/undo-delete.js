/** Deletions that are sent at the same time. */
const AT_ONCE = 4;

/**
 * Jobs on their way out: gone for the eye at once, deleted when the time for second thoughts is over.
 *
 * `send(id, {isLast})` deletes one; `isLast` says that the page is being left. `timer` is setTimeout and clearTimeout.
 * Events: "deleted" (`detail.jobs` may still be brought back), "settled" (nothing may any more), "restored" (`detail.jobs` are
 * here again, `detail.error` says why when the server refused).
 */
export class PendingDeletions extends EventTarget {
  #send;
  #delayMs;
  #timer;
  #deleted = new Set();
  #open = null;

  constructor({ send, delayMs, timer = { start: (...args) => setTimeout(...args), stop: (id) => clearTimeout(id) } }) {
    super();
    this.#send = send;
    this.#delayMs = delayMs;
    this.#timer = timer;
  }

  /** Whether a job is to be left out wherever jobs are shown, also where an older answer still holds it. */
  has(id) {
    return this.#deleted.has(id);
  }

  /** Takes these jobs away. Those that were taken before are deleted now: "undo" is about the last deletion. */
  add(jobs) {
    this.flush();
    for (const { id } of jobs) this.#deleted.add(id);
    this.#open = { jobs };
    this.resumeTimer();
    this.#emit("deleted", { jobs });
  }

  /** Stops the clock, for as long as the person looks at the offer to undo. */
  pauseTimer() {
    this.#timer.stop(this.#open?.timer);
  }

  resumeTimer() {
    if (this.#open === null) return;
    this.#timer.stop(this.#open.timer);
    this.#open.timer = this.#timer.start(() => this.flush(), this.#delayMs);
  }

  undo() {
    const jobs = this.#close();
    if (jobs.length > 0) this.#restore(jobs, null);
  }

  /** Deletes now what is waiting; resolves when the server has answered for all of it. */
  async flush({ isLast = false } = {}) {
    const waiting = this.#close().values();
    const refused = [];
    const work = async () => {
      for (const job of waiting) await this.#send(job.id, { isLast }).catch((error) => refused.push({ job, error }));
    };
    // A page that goes has no second moment, so everything is sent in this one.
    await Promise.all(Array.from({ length: isLast ? 1000 : AT_ONCE }, work));
    if (refused.length > 0)
      this.#restore(
        refused.map(({ job }) => job),
        refused[0].error,
      );
  }

  #close() {
    if (this.#open === null) return [];
    const { jobs, timer } = this.#open;
    this.#timer.stop(timer);
    this.#open = null;
    this.#emit("settled", { jobs });
    return jobs;
  }

  #restore(jobs, error) {
    for (const { id } of jobs) this.#deleted.delete(id);
    this.#emit("restored", { jobs, error });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
