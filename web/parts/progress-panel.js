import { element, fill } from "../lib/dom.js";
import { Estimate } from "../lib/estimate.js";
import { t } from "../lib/i18n.js";
import { FINISHED, holdUpOf, percentOf, phaseOf, stateOf } from "../lib/job-state.js";
import { placeInWords } from "../lib/queue-place.js";
import { secondsBetween, spanInWords } from "../lib/time.js";
import { reasonInWords } from "./reason.js";
import { relativeTime } from "./relative-time.js";

const nowS = () => performance.now() / 1000;

/**
 * Create the panel with state, phase, queue position, time left, progress bar, reason for a delay, and the cancel
 * button.
 *
 * `isTraining`: it is the job of a likeness, which has no phases. Returns `{node, show, tick, setStopping, complain}`:
 * `tick` updates the clocks, `setStopping` shows a requested cancellation immediately, `complain` shows an error.
 */
export function progressPanel({ cancel, extra = null, isTraining = false }) {
  const panel = built({ extra, cancel: () => panel.node.dataset.state !== "stopping" && cancel() });
  const estimate = new Estimate();
  let shown = null;
  let isAsked = false;

  function show(job) {
    // The estimate does not count how long a model loads; the reason below does.
    const isLoading = holdUpOf(job)?.code === "generator_loading";
    estimate.set(isLoading ? null : job.eta_seconds, nowS());
    shown = job;
    draw();
  }
  function draw() {
    const { state, progress, error } = shown;
    const now = isAsked && !FINISHED.has(state) ? "stopping" : stateOf(shown);
    panel.node.dataset.state = now;
    fill(panel.state, t(isTraining && now === "generating" ? "likenesses.training" : `job.${now}`));
    fill(panel.percent, state === "generating" && progress !== null && t("job.percent", { percent: percentOf(shown) }));
    moveBar(panel.bar, shown);
    fill(panel.phase, phaseInWords(shown, now, isTraining));
    fill(panel.holdUp, holdUpInWords(shown));
    fill(panel.reason, error && failureInWords(shown));
    // A disabled button would lose the focus.
    panel.button.setAttribute("aria-disabled", String(now === "stopping"));
    fill(panel.button, t(now === "stopping" ? "job.cancelling" : "job.cancel"));
    if (FINISHED.has(state)) hideTools(panel);
    tick();
  }
  function tick() {
    if (shown === null) return;
    const words = timeInWords(shown);
    if (panel.wait.textContent !== words) fill(panel.wait, words);
  }
  function timeInWords(job) {
    if (FINISHED.has(job.state)) return tookInWords(job);
    return panel.node.dataset.state === "stopping" ? "" : waitInWords(job, estimate);
  }
  function setStopping(isStopping) {
    isAsked = isStopping;
    draw();
  }
  return { node: panel.node, show, tick, setStopping, complain: (words) => fill(panel.problem, words) };
}

function built({ cancel, extra }) {
  const panel = {
    state: element("p", { class: "state", "data-testid": "job-state" }),
    percent: element("p", { class: "percent", "aria-hidden": "true" }),
    bar: element("progress", { max: 1, "aria-label": t("job.progress") }),
    phase: element("p", { class: "phase" }),
    wait: element("p", { class: "hint" }),
    holdUp: element("p", { class: "hold-up" }),
    reason: element("p", { class: "failure" }),
    problem: element("p", { class: "form-error", role: "alert" }),
    button: element("button", { type: "button", class: "button", on: { click: cancel } }),
  };
  const { state, percent, bar, phase, wait, holdUp, reason, problem, button } = panel;
  panel.tools = element("div", { class: "actions" }, button, extra);
  const line = element("div", { class: "state-line" }, state, percent);
  const parts = [line, bar, phase, wait, holdUp, reason, problem, panel.tools];
  panel.node = element("section", { class: "progress-panel", tabindex: -1 }, parts);
  return panel;
}

/** Keep the focus in the panel when its buttons disappear. */
function hideTools({ tools, node }) {
  const hadFocus = tools.contains(document.activeElement);
  tools.hidden = true;
  if (hadFocus) node.focus({ preventScroll: true });
}

/** The bar never goes back. */
function moveBar(bar, { state, progress }) {
  bar.hidden = FINISHED.has(state);
  if (progress !== null) bar.value = Math.max(bar.hasAttribute("value") ? bar.value : 0, progress);
}

function phaseInWords(job, now, isTraining) {
  if (now === "stopping") return t("job.stopping.detail");
  const phase = isTraining ? null : phaseOf(job);
  return phase === null ? "" : t(`phase.${phase}`);
}

function waitInWords(job, estimate) {
  const { kind, seconds } = estimate.left(nowS());
  const left = { unknown: null, span: "job.eta", moment: "job.moment", late: "job.late" }[kind];
  return [placeInWords(job), left && t(left, { span: seconds === undefined ? "" : spanInWords(seconds) })]
    .filter(Boolean)
    .join(" · ");
}

function tookInWords({ state, created_at: created, started_at: started, finished_at: finished }) {
  const painted = secondsBetween(started, finished);
  if (state !== "succeeded" || painted === null) return "";
  return t("job.took", { painted: spanInWords(painted), waited: spanInWords(secondsBetween(created, started)) });
}

function holdUpInWords(job) {
  const entry = holdUpOf(job);
  return entry && [relativeTime(entry.at), " · ", reasonInWords(entry)];
}

function failureInWords({ error, timeline }) {
  const attempts = timeline.reduce((sum, { event, count = 1 }) => (event === "retrying" ? sum + count : sum), 1);
  const tried = attempts > 1 ? t("job.attempts", { n: attempts }) : null;
  return [reasonInWords({ code: error.code, detail: error.message }), tried].filter(Boolean).join(" ");
}
