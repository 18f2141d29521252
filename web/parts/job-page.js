import { element, fill } from "../lib/dom.js";
import { keepDraft } from "../lib/draft.js";
import { navigate } from "../lib/router.js";
import { ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { FINISHED } from "../lib/watch.js";
import { canvas } from "./canvas.js";
import { progressPanel } from "./progress-panel.js";
import { recipe } from "./recipe.js";
import { results } from "./results.js";
import { timeline } from "./timeline.js";

/**
 * Everything about one job. `show(job)` brings it up to date without rebuilding what a person may be using.
 *
 * Answers `{node, show, setCancelling}`.
 */
export function jobPage({ cancel }) {
  const stage = element("div", { class: "job-stage" });
  const prompt = element("h1", { class: "display job-prompt" });
  const panel = progressPanel({ cancel });
  const actions = element("div", { class: "actions" });
  const details = element("div", {});
  const label = element("div", { class: "job-label" }, prompt, panel.node, actions, details);
  let board = null;
  let story = null;

  function show(job) {
    fill(prompt, job.prompt || t("picture.untitled"));
    panel.show(job);
    tell(job);
    if (job.state === "succeeded") return showResult(job);
    if (board === null) {
      board = canvas({ ratio: ratioOf(job.settings) });
      fill(stage, board.node);
    }
    board.setProgress(job.progress);
    board.node.dataset.state = job.state;
    if (FINISHED.has(job.state)) fill(actions, againButton(job));
  }
  /** Drawn anew only when it says something else, so that a selection in it stays. */
  function tell({ settings, timeline: entries, images }) {
    const now = JSON.stringify([settings, entries]);
    if (now === story) return;
    story = now;
    fill(details, recipe(settings, images[0]), timeline(entries));
  }
  function showResult(job) {
    board = null;
    fill(stage, results(job));
    fill(actions, againButton(job));
  }
  const node = element("article", { class: "job" }, stage, label);
  return { node, show, setCancelling: panel.setCancelling };
}

function againButton({ prompt, settings }) {
  const again = () => {
    const { aspect, quality, n, negative_prompt } = settings;
    keepDraft({ prompt, aspect, quality, n, negative_prompt });
    navigate("/create");
  };
  return element("button", { type: "button", class: "button", on: { click: again } }, t("job.again"));
}
