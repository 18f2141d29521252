import { cancelJob, publishJob, unpublishJob } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { FINISHED } from "../lib/job-state.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { announce } from "./announcer.js";
import { downloadAll } from "./download-bar.js";
import { showBar, showNotice } from "./notice-bar.js";

/** Requests of one action sent at the same time. */
const AT_ONCE = 3;

const KINDS = {
  download: ({ images }) => images.length > 0,
  publish: ({ state, public: isPublic }) => state === "succeeded" && !isPublic,
  unpublish: ({ public: isPublic }) => isPublic,
  cancel: ({ state }) => !FINISHED.has(state),
  delete: ({ state }) => FINISHED.has(state),
};

/**
 * Create the bar that shows the number of selected jobs and the actions for them.
 *
 * `show(jobs)` gets the selected jobs; an empty list hides the bar. `onChange(job)` gets each job changed by an action,
 * `onDelete(jobs)` those to delete; `onAll()` and `onEnd()` are the buttons that change the selection. Returns `{show,
 * hasFocus, focus}`.
 */
export function selectionBar({ signal, onChange, onDelete, onAll, onEnd }) {
  const count = element("p", { class: "selection-count", role: "status" });
  const actions = element("div", { class: "selection-actions" });
  const hint = element("p", { class: "hint" });
  const button = (words, click, look = "") =>
    element("button", { type: "button", class: `button ${look}`.trim(), on: { click } }, words);
  const all = button(t("pictures.select.all"), onAll, "is-quiet");
  const end = button(t("pictures.select.end"), onEnd, "is-quiet");
  const calls = { publish: publishJob, unpublish: unpublishJob, cancel: cancelJob };
  let remove = null;

  const tasks = {
    download: downloadAll,
    delete: onDelete,
    ...Object.fromEntries(
      Object.entries(calls).map(([kind, call]) => [kind, (jobs) => changeAll(jobs, call, { signal, onChange })]),
    ),
  };
  function offer(kind, jobs, most) {
    if (jobs.length === 0) return null;
    const words = t(`selection.${kind}`, { n: jobs.length, most });
    const made = button(words, () => tasks[kind](jobs), kind === "delete" ? "is-danger" : "");
    made.dataset.kind = kind;
    return made;
  }
  function show(jobs) {
    if (jobs.length === 0) {
      remove?.();
      remove = null;
      return;
    }
    fill(count, t("pictures.selected", { n: jobs.length }));
    const open = jobs.filter(KINDS.cancel).length;
    fill(hint, open > 0 && open < jobs.length ? t("selection.unfinished", { n: open }) : "");
    const had = actions.contains(document.activeElement) ? document.activeElement.dataset.kind : null;
    fill(
      actions,
      Object.entries(KINDS).map(([kind, suits]) => offer(kind, jobs.filter(suits), jobs.length)),
    );
    remove ??= showBar(element("div", { class: "selection-head" }, count, all, end), actions, hint);
    if (had) (actions.querySelector(`[data-kind="${had}"]`) ?? end).focus();
  }
  signal.addEventListener("abort", () => show([]), { once: true });
  const hasFocus = () => count.parentElement?.parentElement?.contains(document.activeElement) ?? false;
  return { show, hasFocus, focus: () => actions.querySelector("button")?.focus() };
}

/** Change the jobs; refusals are counted and shown with the first reason. */
async function changeAll(jobs, call, { signal, onChange }) {
  const waiting = jobs.values();
  const errors = [];
  const work = async () => {
    for (const { id } of waiting) {
      await call(id, { signal }).then(onChange, (error) => {
        if (isAborted(error, signal)) throw error;
        errors.push(error);
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    if (!isAborted(error, signal)) throw error;
    return;
  }
  if (errors.some(({ status }) => status === 401)) redirectToLogin();
  else if (errors.length > 0)
    showNotice(t("selection.refused", { n: errors.length, why: errorText(errors[0]) }), { isBad: true });
  else announce(t("selection.changed", { n: jobs.length }));
}
