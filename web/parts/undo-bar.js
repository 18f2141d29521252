import { deleteBatch, deleteJob } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { errorText } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { beforeLogout } from "../lib/session.js";
import { postJobDeleted } from "../lib/tab-channel.js";
import { PendingDeletions } from "../lib/undo-delete.js";
import { announce } from "./announcer.js";
import { showBar, showNotice } from "./notice-bar.js";

/** How long a deletion can be undone. */
const UNDO_MS = 8_000;

/** The pending deletions of all views. */
export const deletions = new PendingDeletions({ send, sendGroup, delayMs: UNDO_MS });
let isStarted = false;

/** Delete finished jobs after a delay during which a bar offers to undo it. `group` says that they are all of one. */
export function deleteWithUndo(jobs, { group = null } = {}) {
  start();
  deletions.add(jobs, { group });
}

async function send(id, { isLast }) {
  await unlessGone(deleteJob(id, { keepalive: isLast }));
  postJobDeleted(id);
}

async function sendGroup(group, jobs, { isLast }) {
  await unlessGone(deleteBatch(group, { keepalive: isLast }));
  for (const { id } of jobs) postJobDeleted(id);
}

async function unlessGone(request) {
  try {
    await request;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

function start() {
  if (isStarted) return;
  isStarted = true;
  let close = () => {};
  deletions.addEventListener("deleted", ({ detail }) => {
    close = showUndo(detail.jobs.length);
  });
  deletions.addEventListener("settled", () => close());
  deletions.addEventListener("restored", ({ detail: { jobs, error } }) => {
    if (error === null) announce(t("undo.restored", { n: jobs.length }));
    else showNotice(t("undo.failed", { n: jobs.length, why: errorText(error) }), { isBad: true });
  });
  addEventListener("pagehide", () => deletions.flush({ isLast: true }));
  beforeLogout(() => deletions.flush());
}

/** Show the bar with its button and shortcut. The delay is paused while the bar is hovered or focused. */
function showUndo(count) {
  const done = new AbortController();
  const button = element(
    "button",
    { type: "button", class: "button", "aria-keyshortcuts": "Control+Z" },
    t("undo.action"),
  );
  const clock = element("span", { class: "bar-clock", "aria-hidden": "true", vars: { time: `${UNDO_MS}ms` } });
  const hint = element("kbd", { class: "bar-keys" }, t("undo.keys"));
  const remove = showBar(element("p", {}, t("undo.deleted", { n: count })), button, hint, clock);
  const bar = button.parentElement;
  button.addEventListener("click", () => deletions.undo());
  for (const event of ["pointerenter", "focusin"]) bar.addEventListener(event, () => deletions.pauseTimer());
  for (const event of ["pointerleave", "focusout"]) bar.addEventListener(event, () => deletions.resumeTimer());
  const undoByKey = (event) => {
    if (!isUndo(event)) return;
    event.preventDefault();
    deletions.undo();
  };
  document.addEventListener("keydown", undoByKey, { signal: done.signal });
  announce(t("undo.deleted.keys", { n: count }));
  return () => {
    done.abort();
    const hadFocus = bar.contains(document.activeElement);
    remove();
    if (hadFocus) document.getElementById("content").focus({ preventScroll: true });
  };
}

/** Whether this is Ctrl+Z or ⌘Z outside a text field. */
function isUndo({ key, ctrlKey, metaKey, shiftKey, target }) {
  return (
    key.toLowerCase() === "z" &&
    (ctrlKey || metaKey) &&
    !shiftKey &&
    !target.closest("input:not([type=checkbox], [type=radio]), textarea")
  );
}
