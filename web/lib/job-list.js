import { FINISHED } from "./job-state.js";

/** Between two looks while something is unfinished; and when nothing is, so that jobs from elsewhere appear. */
const SOONEST_MS = 2_000;
const LATEST_MS = 10_000;
const IDLE_MS = 30_000;
/** How many of the newest jobs are asked for, at least and at most (the API's own limit). */
const FEWEST = 24;
const MOST = 100;

/**
 * A person's jobs as far as they are known, newest first: pages from below, and fresh answers from above.
 *
 * The API's ids are UUIDv7: their order as text is that of time, so every job has one place, whichever answer brings it.
 * `isDeleted(id)` names jobs that are to be left out, because they are being deleted.
 */
export class JobList {
  #jobs = [];
  #isDeleted;

  constructor({ isDeleted = () => false } = {}) {
    this.#isDeleted = isDeleted;
  }

  get jobs() {
    return this.#jobs;
  }

  find(id) {
    return this.#jobs.find((job) => job.id === id);
  }

  /** Puts a job into its place, in place of what was known of it. Answers the job that follows it, or null. */
  put(job) {
    const at = this.#jobs.findIndex(({ id }) => id <= job.id);
    const index = at === -1 ? this.#jobs.length : at;
    this.#jobs.splice(index, this.#jobs[index]?.id === job.id ? 1 : 0, job);
    return this.#jobs[index + 1] ?? null;
  }

  remove(id) {
    this.#jobs = this.#jobs.filter((job) => job.id !== id);
  }

  /**
   * Compares with an answer that holds the newest jobs: `{changed, gone, hasGap}`.
   *
   * `changed` are new or other than they were; `gone` are ids that the answer should hold and does not. With `hasGap` the
   * answer does not reach what is known, so the list is to be loaded anew.
   */
  compare({ jobs, next }) {
    const answered = new Map(jobs.map((job) => [job.id, job]));
    const last = next === null ? "" : jobs.at(-1).id;
    const hasGap = this.#jobs.length > 0 && last > this.#jobs[0].id;
    const changed = jobs.filter((job) => !this.#isDeleted(job.id) && differs(this.find(job.id), job));
    const gone = this.#jobs.filter(({ id }) => id >= last && !answered.has(id)).map(({ id }) => id);
    return { changed, gone, hasGap };
  }

  /** So many of the newest jobs hold all that are unfinished. */
  get pollLimit() {
    const deepest = this.#jobs.findLastIndex(isOpen);
    return Math.min(Math.max(deepest + 1, FEWEST), MOST);
  }

  /** When it makes sense to look again: the sooner, the sooner a job is likely to be done. */
  get nextPollMs() {
    const open = this.#jobs.filter(isOpen);
    if (open.length === 0) return IDLE_MS;
    const soonest_s = Math.min(...open.map(({ eta_seconds: eta }) => eta ?? 10));
    return Math.min(Math.max(soonest_s * 250, SOONEST_MS), LATEST_MS);
  }
}

const isOpen = ({ state }) => !FINISHED.has(state);

/** Whether anything that a tile shows is not as it was; the URLs of the pictures change without the pictures. */
function differs(before, after) {
  const shown = ({ state, progress, queue_position: position, eta_seconds: eta, public: isPublic, images }) =>
    JSON.stringify([state, progress, position, eta, isPublic, images.length]);
  return before === undefined || shown(before) !== shown(after);
}
