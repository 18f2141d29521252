/** The states in which a job ends. */
export const FINISHED = new Set(["succeeded", "failed", "cancelled"]);

/**
 * Whether `job` is older than `known`: answers and messages from other tabs can arrive out of order.
 *
 * A finished job never restarts, a timeline's last entry is its newest, and progress never decreases.
 */
export function isOlder(job, known) {
  if (known === null) return false;
  if (FINISHED.has(known.state)) return !FINISHED.has(job.state);
  const [at, knownAt] = [job, known].map(({ timeline }) => timeline.at(-1)?.at ?? "");
  if (at !== knownAt) return at < knownAt;
  const [count, knownCount] = [job, known].map(countOf);
  return count === knownCount ? (job.progress ?? 0) < (known.progress ?? 0) : count < knownCount;
}

/** Return how much has happened: an entry that has repeated counts each time. */
const countOf = ({ timeline }) => timeline.reduce((total, { count = 1 }) => total + count, 0);

/** The phases of the work, each with the progress at which it begins. */
const PHASES = [
  [0.98, "hanging"],
  [0.7, "finishing"],
  [0.35, "shaping"],
  [0.01, "first"],
];

/** Whether cancellation was requested while the generator still works on the job. */
export function isStopping({ state, timeline }) {
  return !FINISHED.has(state) && timeline.some(({ event }) => event === "cancel_requested");
}

/** Return the state to show: the API's state, or "stopping". */
export const stateOf = (job) => (isStopping(job) ? "stopping" : job.state);

/** Return the phase of a generating job: sent, preparing, first, shaping, finishing or hanging; otherwise null. */
export function phaseOf({ state, progress, timeline }) {
  if (state !== "generating") return null;
  const attempt = timeline.slice(timeline.findLastIndex(({ event }) => event === "started"));
  if (!attempt.some(({ event }) => event === "processing") && !progress) return "sent";
  return PHASES.find(([from]) => (progress ?? 0) >= from)?.[1] ?? "preparing";
}

/**
 * Return the timeline entry that explains why an unfinished job makes no progress, or null. Later entries override it.
 */
export function holdUpOf({ state, timeline }) {
  if (FINISHED.has(state)) return null;
  const last = timeline.findLast(({ event }) => event !== "adapted");
  return last && ["waiting", "retrying", "recovered"].includes(last.event) && (last.code || last.detail) ? last : null;
}

/** Return whole percent; 100 only for a job that has succeeded. */
export function percentOf({ state, progress }) {
  if (state === "succeeded") return 100;
  return progress === null ? null : Math.min(99, Math.floor(progress * 100));
}
