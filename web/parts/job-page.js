import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { FINISHED, stateOf } from "../lib/job-state.js";
import { ratioOf } from "../lib/presets.js";
import { canvas } from "./canvas.js";
import { progressPanel } from "./progress-panel.js";
import { recipe } from "./recipe.js";
import { refreshRelativeTimes } from "./relative-time.js";
import { results } from "./results.js";
import { sceneCard } from "./scenes/card.js";
import { timelapse } from "./timelapse.js";
import { timeline } from "./timeline.js";

const TICK_MS = 1_000;

/**
 * Create the page of a job.
 *
 * `show(job)` updates it without rebuilding parts that may be in use; its clocks run until `signal` is aborted.
 * `actionsOf(job)` creates the actions of a finished job, `noticeOf(job)` what is to be said about it, `extra` is placed
 * beside the cancel button. Returns `{node, show, setStopping, complain}`.
 */
export function jobPage({ cancel, actionsOf, noticeOf, extra, signal }) {
  const stage = element("div", { class: "job-stage" });
  const prompt = element("h1", { class: "display job-prompt" });
  const panel = progressPanel({ cancel, extra });
  const scene = element("div", {});
  const notice = element("div", {});
  const actions = element("div", {});
  const details = element("div", { class: "job-details" });
  const label = element("div", { class: "job-label" }, prompt, panel.node, scene, notice, actions, details);
  const parts = [
    whenOther(
      (job) => job.prompt,
      (job) => fill(prompt, job.prompt || t("picture.untitled")),
    ),
    panel.show,
    stagePart(stage),
    scenePart(scene, signal),
    whenOther(
      (job) => [job.settings, job.timeline],
      (job) => fill(details, ...detailsOf(job)),
    ),
    whenOther(
      (job) => job.publication,
      (job) => fill(notice, noticeOf(job)),
    ),
    whenOther(
      (job) => [job.state, job.public, job.publication?.state],
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

/** While the job runs, the timeline comes before the recipe. */
function detailsOf(job) {
  const parts = [recipe(job.settings, job.images[0], job.timeline), timeline(job.timeline)];
  return FINISHED.has(job.state) ? parts : parts.reverse();
}

/** Return a function that draws only if the value of `keyOf(job)` has changed, so that selection and focus are kept. */
function whenOther(keyOf, draw) {
  let last;
  return (job) => {
    const now = JSON.stringify(keyOf(job));
    if (now === last) return;
    last = now;
    draw(job);
  };
}

/** Return a function that shows the scene of a job that has one. */
function scenePart(place, signal) {
  let card = null;
  return (job) => {
    if (!job.settings.scene) return;
    if (card === null) {
      card = sceneCard(job, { signal });
      fill(place, card.node);
    }
    card.show(job);
  };
}

/** Return a function that shows the preview, or the canvas painted as far as the work has progressed, then the pictures. */
function stagePart(stage) {
  let board = null;
  const hang = whenOther(
    (job) => job.images.map(({ id }) => id),
    (job) => fill(stage, results(job), timelapse(job)),
  );
  return (job) => {
    if (job.state === "succeeded") return hang(job);
    if (board === null) {
      board = canvas({ ratio: ratioOf(job.settings), alt: t("job.preview") });
      fill(stage, board.node);
    }
    board.setProgress(job.progress);
    board.setPicture(job.preview_url);
    board.node.dataset.state = stateOf(job);
  };
}
