/** Requests sent at the same time. */
const AT_ONCE = 4;

/**
 * Deletions that can be undone: jobs disappear immediately, the requests are sent after `delayMs`.
 *
 * `send(id, {isLast})` deletes one; `isLast` means that the page is being left. `timer` is setTimeout and clearTimeout.
 * Events: "deleted" (`detail.jobs` can still be restored), "settled" (they no longer can), "restored" (`detail.jobs`
 * are back; `detail.error` is the server's refusal, or null).
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

  /** Whether a job must be left out everywhere, even if an older answer still holds it. */
  has(id) {
    return this.#deleted.has(id);
  }

  /** Delete these jobs after the delay. Earlier pending ones are deleted now: "undo" applies to the last deletion. */
  add(jobs) {
    this.flush();
    for (const { id } of jobs) this.#deleted.add(id);
    this.#open = { jobs };
    this.resumeTimer();
    this.#emit("deleted", { jobs });
  }

  /** Stop the delay while the user looks at the undo bar. */
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

  /** Delete the pending jobs now. Resolves when the server has answered for all of them. */
  async flush({ isLast = false } = {}) {
    const waiting = this.#close().values();
    const refused = [];
    const work = async () => {
      for (const job of waiting) await this.#send(job.id, { isLast }).catch((error) => refused.push({ job, error }));
    };
    // A page that is left has no second chance, so all requests are sent at once.
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
