import { Selection } from "../lib/selection.js";
import { selectionBar } from "./selection-bar.js";
import { deleteWithUndo } from "./undo-bar.js";

/**
 * Add selection to a jobGrid of `list`: checkboxes, ranges, select all. Escape clears it, Ctrl+A selects all, Enter
 * moves from a checkbox to the bar.
 *
 * `onChange(job)` gets jobs changed by an action. Returns `{set, redraw}`.
 */
export function gridSelection({ list, grid, signal, onChange }) {
  const selection = new Selection();
  const ids = () => list.jobs.map(({ id }) => id);
  let shown = 0;

  const bar = selectionBar({ signal, onChange, onDelete: erase, onAll: all, onEnd: end });
  function redraw() {
    if (shown === 0 && selection.size === 0) return;
    const jobs = list.jobs.filter(({ id }) => selection.has(id));
    grid.select((id) => selection.has(id));
    bar.show(jobs);
    shown = jobs.length;
  }
  function set(id, isChosen, { isRange }) {
    selection.set(id, isChosen, { isRange, order: ids() });
    redraw();
  }
  function all() {
    selection.addAll(ids());
    redraw();
  }
  function end() {
    const index = list.jobs.findIndex(({ id }) => selection.has(id));
    const hadFocus = bar.hasFocus();
    selection.clear();
    redraw();
    if (hadFocus) grid.focusAt(Math.max(index, 0));
  }
  /** Deselect them for good, so that "undo" does not restore the selection. */
  function erase(jobs) {
    for (const { id } of jobs) selection.drop(id);
    deleteWithUndo(jobs);
  }
  document.addEventListener(
    "keydown",
    (event) => {
      if (shown === 0 || isElsewhere(event.target)) return;
      if (event.key === "Escape") end();
      else if (event.key === "Enter" && event.target.type === "checkbox") bar.focus();
      else if (event.key === "a" && (event.ctrlKey || event.metaKey)) all();
      else return;
      event.preventDefault();
    },
    { signal },
  );
  return { set, redraw };
}

/** Whether a key belongs to its target: a text field, an open menu, a dialog. */
function isElsewhere(target) {
  return (
    target.matches("input:not([type=checkbox]), textarea, select") ||
    document.querySelector(":popover-open, dialog[open]") !== null
  );
}
