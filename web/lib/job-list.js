import { FINISHED } from "./job-state.js";

/** The poll interval while a job is unfinished, and otherwise, to find jobs created elsewhere. */
const SOONEST_MS = 2_000;
const LATEST_MS = 10_000;
const IDLE_MS = 30_000;
/** How many of the newest jobs a poll fetches (the maximum is the API's limit). */
const FEWEST = 24;
const MOST = 100;

/**
 * The user's jobs that are loaded, newest first.
 *
 * The API's ids are UUIDv7, so their text order is the order of creation. `isDeleted(id)` names jobs to leave out
 * because their deletion is pending.
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

  /** Insert or replace a job. Returns the job after it, or null. */
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
   * Compare with an answer that holds the newest jobs: `{changed, gone, hasGap}`.
   *
   * `changed` are new or changed jobs, `gone` the ids that the answer should hold but does not. With `hasGap` the
   * answer ends above the loaded jobs, so the list must be reloaded.
   */
  compare({ jobs, next }) {
    const answered = new Map(jobs.map((job) => [job.id, job]));
    const last = next ?? "";
    const hasGap = this.#jobs.length > 0 && last > this.#jobs[0].id;
    const changed = this.changedOf(jobs);
    const gone = this.#jobs.filter(({ id }) => id >= last && !answered.has(id)).map(({ id }) => id);
    return { changed, gone, hasGap };
  }

  /** Return those of these jobs that are new or have changed. */
  changedOf(jobs) {
    return jobs.filter((job) => !this.#isDeleted(job.id) && differs(this.find(job.id), job));
  }

  /** The number of newest jobs to poll for, so that all unfinished ones are included. */
  get pollLimit() {
    const deepest = this.#jobs.findLastIndex(isOpen);
    return Math.min(Math.max(deepest + 1, FEWEST), MOST);
  }

  /** The time until the next poll: shorter the sooner a job is expected to finish. */
  get nextPollMs() {
    const open = this.#jobs.filter(isOpen);
    if (open.length === 0) return IDLE_MS;
    const soonest_s = Math.min(...open.map(({ eta_seconds: eta }) => eta ?? 10));
    return Math.min(Math.max(soonest_s * 250, SOONEST_MS), LATEST_MS);
  }
}

const isOpen = ({ state }) => !FINISHED.has(state);

/** Whether anything shown on a tile has changed. New URLs of the same pictures do not count. */
function differs(before, after) {
  const shown = (job) => {
    const { state, progress, queue_position: position, position_is_estimate: isEstimate, eta_seconds: eta } = job;
    return JSON.stringify([state, progress, position, isEstimate, eta, job.public, job.images.length]);
  };
  return before === undefined || shown(before) !== shown(after);
}
