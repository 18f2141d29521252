import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { FINISHED, stateOf } from "../lib/job-state.js";
import { ratioOf } from "../lib/presets.js";
import { canvas } from "./canvas.js";
import { progressPanel } from "./progress-panel.js";
import { recipe } from "./recipe.js";
import { refreshRelativeTimes } from "./relative-time.js";
import { results } from "./results.js";
import { timeline } from "./timeline.js";

const TICK_MS = 1_000;

/**
 * Everything about one job. `show(job)` brings it up to date without rebuilding what a person may be using; its clocks run
 * until `signal` is aborted. `actionsOf(job)` gives what can be done with a finished job, `extra` stands beside the cancel
 * button.
 *
 * Answers `{node, show, setStopping, complain}`.
 */
export function jobPage({ cancel, actionsOf, extra, signal }) {
  const stage = element("div", { class: "job-stage" });
  const prompt = element("h1", { class: "display job-prompt" });
  const panel = progressPanel({ cancel, extra });
  const actions = element("div", {});
  const details = element("div", { class: "job-details" });
  const label = element("div", { class: "job-label" }, prompt, panel.node, actions, details);
  const parts = [
    whenOther(
      (job) => job.prompt,
      (job) => fill(prompt, job.prompt || t("picture.untitled")),
    ),
    panel.show,
    stagePart(stage),
    whenOther(
      (job) => [job.settings, job.timeline],
      (job) => fill(details, ...detailsOf(job)),
    ),
    whenOther(
      (job) => [job.state, job.public],
      (job) => fill(actions, FINISHED.has(job.state) && actionsOf(job)),
    ),
  ];
  const clock = setInterval(() => {
    if (document.hidden) return;
    panel.tick();
    refreshRelativeTimes(label);
  }, TICK_MS);
  signal.addEventListener("abort", () => clearInterval(clock));
  return {
    node: element("article", { class: "job" }, stage, label),
    show: (job) => {
      for (const part of parts) part(job);
    },
    setStopping: panel.setStopping,
    complain: panel.complain,
  };
}

/** While a person waits, what happened matters more than what was ordered. */
function detailsOf(job) {
  const parts = [recipe(job.settings, job.images[0]), timeline(job.timeline)];
  return FINISHED.has(job.state) ? parts : parts.reverse();
}

/** Draws only when what `keyOf` takes from the job is another, so that a selection or the focus in it stays. */
function whenOther(keyOf, draw) {
  let last;
  return (job) => {
    const now = JSON.stringify(keyOf(job));
    if (now === last) return;
    last = now;
    draw(job);
  };
}

/** The canvas on its easel, painted as far as the work has come; then the pictures in its place. */
function stagePart(stage) {
  let board = null;
  const hang = whenOther(
    (job) => job.images.map(({ id }) => id),
    (job) => fill(stage, results(job)),
  );
  return (job) => {
    if (job.state === "succeeded") return hang(job);
    if (board === null) {
      board = canvas({ ratio: ratioOf(job.settings) });
      fill(stage, board.node);
    }
    board.setProgress(job.progress);
    board.node.dataset.state = stateOf(job);
  };
}
