import { element } from "../lib/dom.js";
import { jobActions } from "./job-actions.js";
import { jobTile } from "./job-tile.js";

/** About as many as fit into a window. */
const WAITING = 12;

/**
 * Create the grid of the user's jobs: a tile for each, in the order of `list` (a JobList).
 *
 * `onChange(job)`, `onNew(job)` and `onGone(job)` are those of jobActions, `onSelect(id, isChosen, {isRange})` reports
 * the checkboxes. Returns `{node, put, remove, clear, select, focusAt}`; each changes only the tiles concerned.
 */
export function jobGrid({ list, label, signal, onSelect, onChange, onNew, onGone }) {
  const node = element("ul", { class: "cabinet", "aria-label": label, "aria-busy": "true" }, waitingTiles());
  const tiles = new Map();

  function make(job) {
    /** Close the menu when its action has finished. */
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
  /** Show these jobs: update existing tiles, insert new ones. */
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
  /** Focus the tile at this index, or the last one. Returns whether there is a tile. */
  function focusAt(index) {
    const id = list.jobs[Math.min(index, list.jobs.length - 1)]?.id;
    tiles.get(id)?.focus();
    return id !== undefined;
  }
  return { node, put, remove, clear, select, focusAt };
}

/** Create empty tiles that reserve the space until the jobs are known. */
function waitingTiles() {
  return Array.from({ length: WAITING }, () =>
    element(
      "li",
      { class: "tile is-waiting", "aria-hidden": "true" },
      element("div", { class: "tile-frame" }, element("span", { class: "mat" })),
    ),
  );
}
