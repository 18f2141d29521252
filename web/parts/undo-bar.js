import { deleteJob } from "../lib/api.js";
import { Bin } from "../lib/undo-delete.js";
import { element } from "../lib/dom.js";
import { explain } from "../lib/error-text.js";
import { tellGone } from "../lib/tab-channel.js";
import { beforeLeaving } from "../lib/session.js";
import { t } from "../lib/i18n.js";
import { announce } from "./announcer.js";
import { showBar, showRemark } from "./notice-bar.js";

/** Time for second thoughts. */
const UNDO_MS = 8_000;

/** The jobs that are being deleted, wherever on the site that was asked for. */
export const bin = new Bin({ send, delayMs: UNDO_MS });
let isStarted = false;

/** Deletes finished jobs, unless the person takes it back within some seconds: a bar offers that. */
export function deleteWithUndo(jobs) {
  start();
  bin.put(jobs);
}

async function send(id, { isLast }) {
  try {
    await deleteJob(id, { keepalive: isLast });
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  tellGone(id);
}

function start() {
  if (isStarted) return;
  isStarted = true;
  let close = () => {};
  bin.addEventListener("away", ({ detail }) => {
    close = showUndo(detail.jobs.length);
  });
  bin.addEventListener("settled", () => close());
  bin.addEventListener("back", ({ detail: { jobs, error } }) => {
    if (error === null) announce(t("bin.back", { n: jobs.length }));
    else showRemark(t("bin.refused", { n: jobs.length, why: explain(error) }), { isBad: true });
  });
  addEventListener("pagehide", () => bin.flush({ isLast: true }));
  beforeLeaving(() => bin.flush());
}

/** The bar with its button and its shortcut. The clock stands still while the bar is pointed at or in use. */
function showUndo(count) {
  const done = new AbortController();
  const button = element("button", { type: "button", class: "button", "aria-keyshortcuts": "Control+Z" }, t("bin.undo"));
  const clock = element("span", { class: "bar-clock", "aria-hidden": "true", vars: { time: `${UNDO_MS}ms` } });
  const hint = element("kbd", { class: "bar-keys" }, t("bin.keys"));
  const remove = showBar(element("p", {}, t("bin.deleted", { n: count })), button, hint, clock);
  const bar = button.parentElement;
  button.addEventListener("click", () => bin.undo());
  for (const event of ["pointerenter", "focusin"]) bar.addEventListener(event, () => bin.hold());
  for (const event of ["pointerleave", "focusout"]) bar.addEventListener(event, () => bin.resume());
  document.addEventListener("keydown", (event) => isUndo(event) && (event.preventDefault(), bin.undo()), { signal: done.signal });
  announce(t("bin.deleted.keys", { n: count }));
  return () => {
    done.abort();
    const hadFocus = bar.contains(document.activeElement);
    remove();
    if (hadFocus) document.getElementById("content").focus({ preventScroll: true });
  };
}

/** Ctrl+Z or ⌘Z, but not where somebody is writing. */
function isUndo({ key, ctrlKey, metaKey, shiftKey, target }) {
  return key.toLowerCase() === "z" && (ctrlKey || metaKey) && !shiftKey && !target.closest("input:not([type=checkbox], [type=radio]), textarea");
}
