import { FINISHED } from "./job-polling.js";

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

/** A prompt for where there is room for a few words: cut at a word, with an ellipsis. */
export function shortened(prompt, most = 40) {
  const text = prompt.replace(/\s+/g, " ").trim();
  const letters = [...text];
  if (letters.length <= most) return text;
  const cut = letters.slice(0, most).join("");
  const space = cut.lastIndexOf(" ");
  return `${(space > most / 2 ? cut.slice(0, space) : cut).trimEnd()}…`;
}
