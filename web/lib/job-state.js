/** The states in which a job ends. */
export const FINISHED = new Set(["succeeded", "failed", "cancelled"]);

/**
 * Whether `job` tells of a moment before that of `known`: answers and news from other tabs overtake each other.
 * A finished job never runs again, a timeline only grows, and progress never goes back.
 */
export function isOlder(job, known) {
  if (known === null) return false;
  if (FINISHED.has(known.state)) return !FINISHED.has(job.state);
  const [told, knownToBeTold] = [job, known].map(({ timeline }) => timeline.length);
  return told === knownToBeTold ? (job.progress ?? 0) < (known.progress ?? 0) : told < knownToBeTold;
}

/** The work has this many phases that the progress tells apart, each from its fraction on. */
const PHASES = [
  [0.98, "hanging"],
  [0.7, "finishing"],
  [0.35, "shaping"],
  [0.01, "first"],
];

/** Whether somebody asked to stop a job that its generator still works on. */
export function isStopping({ state, timeline }) {
  return !FINISHED.has(state) && timeline.some(({ event }) => event === "cancel_requested");
}

/** The state as a person understands it: that of the API, or "stopping". */
export const stateOf = (job) => (isStopping(job) ? "stopping" : job.state);

/** What happens to a generating job right now: sent, preparing, first, shaping, finishing or hanging; null otherwise. */
export function phaseOf({ state, progress, timeline }) {
  if (state !== "generating") return null;
  const attempt = timeline.slice(timeline.findLastIndex(({ event }) => event === "started"));
  if (!attempt.some(({ event }) => event === "processing") && !progress) return "sent";
  return PHASES.find(([from]) => (progress ?? 0) >= from)?.[1] ?? "preparing";
}

/**
 * Why a job that is not finished does not go on: the entry of its timeline that says so, or null. What happened after it
 * (a turn, work) makes it history.
 */
export function holdUpOf({ state, timeline }) {
  if (FINISHED.has(state)) return null;
  const last = timeline.findLast(({ event }) => event !== "adapted");
  return last && ["waiting", "retrying", "recovered"].includes(last.event) && (last.code || last.detail) ? last : null;
}

/** Whole percent; 100 only when the job has succeeded. */
export function percentOf({ state, progress }) {
  if (state === "succeeded") return 100;
  return progress === null ? null : Math.min(99, Math.floor(progress * 100));
}
