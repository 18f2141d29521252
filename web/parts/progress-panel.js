import { element, fill } from "../lib/dom.js";
import { Estimate } from "../lib/estimate.js";
import { holdUpOf, percentOf, phaseOf, stateOf } from "../lib/phase.js";
import { t } from "../lib/text.js";
import { secondsBetween, spanInWords } from "../lib/time.js";
import { FINISHED } from "../lib/watch.js";
import { agoOf } from "./ago.js";
import { reasonInWords } from "./reason.js";

const nowS = () => performance.now() / 1000;

/**
 * How a job stands: state, phase, place in the queue, time left, bar, what holds it up, and the button that cancels it.
 *
 * Answers `{node, show, tick, setStopping, complain}`: `tick` moves the clocks on, `setStopping` shows at once that the
 * person wants it stopped, `complain` says why that failed.
 */
export function progressPanel({ cancel, extra = null }) {
  const state = element("p", { class: "state", "data-testid": "job-state" });
  const percent = element("p", { class: "percent", "aria-hidden": "true" });
  const bar = element("progress", { max: 1, "aria-label": t("job.progress") });
  const phase = element("p", { class: "phase" });
  const wait = element("p", { class: "hint" });
  const holdUp = element("p", { class: "hold-up" });
  const reason = element("p", { class: "failure" });
  const problem = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: cancel } }, t("job.cancel"));
  const tools = element("div", { class: "actions" }, button, extra);
  const line = element("div", { class: "state-line" }, state, percent);
  const node = element("section", { class: "progress-panel" }, line, bar, phase, wait, holdUp, reason, problem, tools);
  const estimate = new Estimate();
  let shown = null;
  let isAsked = false;

  function show(job) {
    estimate.set(job.eta_seconds, nowS());
    shown = job;
    draw();
  }
  function draw() {
    const job = isAsked && !FINISHED.has(shown.state) ? { ...shown, timeline: [...shown.timeline, { event: "cancel_requested" }] } : shown;
    const isOver = FINISHED.has(job.state);
    const now = stateOf(job);
    node.dataset.state = now;
    fill(state, t(`job.${now}`));
    fill(percent, job.state === "generating" && percentOf(job) !== null && t("job.percent", { percent: percentOf(job) }));
    moveBar(bar, job);
    fill(phase, phaseInWords(job, now));
    fill(holdUp, holdUpInWords(job));
    fill(reason, job.error && failureInWords(job));
    button.disabled = now === "stopping";
    fill(button, t(now === "stopping" ? "job.cancelling" : "job.cancel"));
    tools.hidden = isOver;
    tick();
  }
  function tick() {
    if (shown === null) return;
    const words = FINISHED.has(shown.state) ? tookInWords(shown) : node.dataset.state === "stopping" ? "" : waitInWords(shown, estimate);
    if (wait.textContent !== words) fill(wait, words);
  }
  function setStopping(isStopping) {
    isAsked = isStopping;
    draw();
  }
  return { node, show, tick, setStopping, complain: (words) => fill(problem, words) };
}

/** The bar never goes back, whatever comes. */
function moveBar(bar, { state, progress }) {
  bar.hidden = FINISHED.has(state);
  if (progress !== null) bar.value = Math.max(bar.hasAttribute("value") ? bar.value : 0, progress);
}

function phaseInWords(job, now) {
  if (now === "stopping") return t("job.stopping.detail");
  const phase = phaseOf(job);
  return phase === null ? "" : t(`phase.${phase}`);
}

function waitInWords({ state, queue_position: position }, estimate) {
  const place = state === "queued" && position !== null ? t("job.position", { position }) : null;
  const { kind, seconds } = estimate.left(nowS());
  const left = { unknown: null, span: "job.eta", moment: "job.moment", late: "job.late" }[kind];
  return [place, left && t(left, { span: seconds === undefined ? "" : spanInWords(seconds) })].filter(Boolean).join(" · ");
}

function tookInWords({ state, created_at: created, started_at: started, finished_at: finished }) {
  const painted = secondsBetween(started, finished);
  if (state !== "succeeded" || painted === null) return "";
  return t("job.took", { painted: spanInWords(painted), waited: spanInWords(secondsBetween(created, started)) });
}

function holdUpInWords(job) {
  const entry = holdUpOf(job);
  return entry && [agoOf(entry.at), " · ", reasonInWords(entry)];
}

function failureInWords({ error, timeline }) {
  const attempts = 1 + timeline.filter(({ event }) => event === "retrying").length;
  const tried = attempts > 1 ? t("job.attempts", { n: attempts }) : null;
  return [reasonInWords({ code: error.code, detail: error.message }), tried].filter(Boolean).join(" ");
}
