import { element, fill } from "../lib/dom.js";
import { t, tOr } from "../lib/text.js";
import { spanInWords } from "../lib/time.js";
import { FINISHED } from "../lib/watch.js";

/** State, place in the queue, time left, bar and cancel button of a job. Answers `{node, show, setCancelling}`. */
export function progressPanel({ cancel }) {
  const state = element("p", { class: "state", "data-testid": "job-state" });
  const wait = element("p", { class: "hint" });
  const bar = element("progress", { max: 1, "aria-label": t("job.progress") });
  const reason = element("p", { class: "form-error" });
  const button = element("button", { type: "button", class: "button", on: { click: cancel } }, t("job.cancel"));
  const node = element("section", { class: "progress-panel" }, state, wait, bar, reason, button);

  function show(job) {
    const isOver = FINISHED.has(job.state);
    node.dataset.state = job.state;
    fill(state, t(`job.${job.state}`));
    fill(wait, isOver ? "" : waitInWords(job));
    bar.hidden = isOver;
    if (job.progress === null) bar.removeAttribute("value");
    else bar.value = job.progress;
    fill(reason, job.error ? tOr(`error.${job.error.code}`, job.error.message) : "");
    button.hidden = isOver;
  }
  function setCancelling(isCancelling) {
    button.disabled = isCancelling;
    fill(button, t(isCancelling ? "job.cancelling" : "job.cancel"));
  }
  return { node, show, setCancelling };
}

function waitInWords({ state, queue_position: position, eta_seconds: eta }) {
  const place = state === "queued" && position !== null ? t("job.position", { position }) : null;
  const left = eta !== null ? t("job.eta", { span: spanInWords(eta) }) : null;
  return [place, left].filter(Boolean).join(" · ");
}
