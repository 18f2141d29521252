import { element } from "../lib/dom.js";
import { jobActions } from "./job-actions.js";
import { jobTile } from "./job-tile.js";

/** About as many as a window shows. */
const WAITING = 12;

/**
 * The wall of a person's jobs: one tile for each, in the order of `list` (a JobList).
 *
 * `onChange(job)`, `onNew(job)` and `onGone(job)` are those of jobActions, `onSelect(id, isChosen, {isRange})` hears the
 * checkboxes.
 * Answers `{node, put, remove, clear, select, focusAt}`; each touches no tile but those that it is about.
 */
export function jobGrid({ list, label, signal, onSelect, onChange, onNew, onGone }) {
  const node = element("ul", { class: "cabinet", "aria-label": label, "aria-busy": "true" }, waitingTiles());
  const tiles = new Map();

  function make(job) {
    /** What an action brought ends the menu that it came from. */
    const closing = (listener) => (heard) => {
      tile.closeMenu();
      listener(heard);
    };
    const events = { signal, onChange: closing(onChange), onNew: closing(onNew), onGone: closing(onGone) };
    const tile = jobTile(job, {
      onSelect: (isChosen, how) => onSelect(job.id, isChosen, how),
      actions: () => jobActions(list.find(job.id), events),
    });
    tiles.set(job.id, tile);
    return tile;
  }
  /** Shows these jobs: tiles that are there change, new ones take their place. */
  function put(jobs) {
    for (const job of jobs) {
      const follower = list.put(job);
      const known = tiles.get(job.id);
      if (known) known.show(job);
      else node.insertBefore(make(job).node, (follower && tiles.get(follower.id)?.node) ?? null);
    }
  }
  function remove(ids) {
    for (const id of ids) {
      list.remove(id);
      tiles.get(id)?.node.remove();
      tiles.delete(id);
    }
  }
  function clear() {
    remove([...tiles.keys()]);
    node.replaceChildren();
  }
  const select = (isChosen) => {
    for (const [id, tile] of tiles) tile.select(isChosen(id));
  };
  /** Puts the keyboard at the tile with this number, or at the last one. Answers whether there is any. */
  function focusAt(index) {
    const id = list.jobs[Math.min(index, list.jobs.length - 1)]?.id;
    tiles.get(id)?.focus();
    return id !== undefined;
  }
  return { node, put, remove, clear, select, focusAt };
}

/** Empty mats that hold the wall's place until the jobs are known. */
function waitingTiles() {
  return Array.from({ length: WAITING }, () =>
    element(
      "li",
      { class: "tile is-waiting", "aria-hidden": "true" },
      element("div", { class: "tile-frame" }, element("span", { class: "mat" })),
    ),
  );
}
