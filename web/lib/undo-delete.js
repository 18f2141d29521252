/** Requests sent at the same time. */
const AT_ONCE = 4;

/**
 * Deletions that can be undone: jobs disappear immediately, the requests are sent after `delayMs`.
 *
 * `send(id, {isLast})` deletes one, `sendGroup(group, jobs, {isLast})` all of a group at once; `isLast` means that the
 * page is being left. `timer` is setTimeout and clearTimeout.
 * Events: "deleted" (`detail.jobs` can still be restored), "settled" (they no longer can), "restored" (`detail.jobs`
 * are back; `detail.error` is the server's refusal, or null).
 */
export class PendingDeletions extends EventTarget {
  #send;
  #sendGroup;
  #delayMs;
  #timer;
  #deleted = new Set();
  #open = null;

  constructor({
    send,
    sendGroup,
    delayMs,
    timer = { start: (...args) => setTimeout(...args), stop: (id) => clearTimeout(id) },
  }) {
    super();
    this.#send = send;
    this.#sendGroup = sendGroup;
    this.#delayMs = delayMs;
    this.#timer = timer;
  }

  /** Whether a job must be left out everywhere, even if an older answer still holds it. */
  has(id) {
    return this.#deleted.has(id);
  }

  /**
   * Delete these jobs after the delay. Earlier pending ones are deleted now: "undo" applies to the last deletion.
   *
   * `group` says that they are all jobs of that group, so that one request is enough.
   */
  add(jobs, { group = null } = {}) {
    this.flush();
    for (const { id } of jobs) this.#deleted.add(id);
    this.#open = { jobs, group };
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
    const jobs = this.#close().flatMap(({ jobs }) => jobs);
    if (jobs.length > 0) this.#restore(jobs, null);
  }

  /** Delete the pending jobs now. Resolves when the server has answered for all of them. */
  async flush({ isLast = false } = {}) {
    const waiting = this.#close().values();
    const refused = [];
    const work = async () => {
      for (const { jobs, send } of waiting) await send({ isLast }).catch((error) => refused.push({ jobs, error }));
    };
    // A page that is left has no second chance, so all requests are sent at once.
    await Promise.all(Array.from({ length: isLast ? 1000 : AT_ONCE }, work));
    if (refused.length > 0)
      this.#restore(
        refused.flatMap(({ jobs }) => jobs),
        refused[0].error,
      );
  }

  /** End the time for undo. Returns the deletions to send, each `{jobs, send}`. */
  #close() {
    if (this.#open === null) return [];
    const { jobs, group, timer } = this.#open;
    this.#timer.stop(timer);
    this.#open = null;
    this.#emit("settled", { jobs });
    if (group !== null) return [{ jobs, send: (how) => this.#sendGroup(group, jobs, how) }];
    return jobs.map((job) => ({ jobs: [job], send: (how) => this.#send(job.id, how) }));
  }

  #restore(jobs, error) {
    for (const { id } of jobs) this.#deleted.delete(id);
    this.#emit("restored", { jobs, error });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
