import { element } from "../lib/dom.js";
import { jobActions } from "./job-actions.js";
import { jobGroup } from "./job-group.js";
import { jobTile } from "./job-tile.js";

/** About as many as fit into a window. */
const WAITING = 12;

/**
 * Create the grid of the user's jobs: a tile for each, in the order of `list` (a JobList). Jobs made together are in one
 * tile, at the place of the newest, which opens to theirs.
 *
 * `onChange(job)`, `onNew(job)` and `onGone(job)` are those of jobActions, `onSelect(id, isChosen, {isRange})` reports
 * the checkboxes. `loadGroup(id)` fetches a group, `onGroup(jobs, {isOpen, isOwn})` gets its jobs. Returns `{node, put,
 * remove, clear, select, focusAt, refreshGroups}`; each changes only the tiles concerned.
 */
export function jobGrid({ list, label, signal, onSelect, onChange, onNew, onGone, loadGroup, onGroup }) {
  const node = element("ul", { class: "cabinet", "aria-label": label, "aria-busy": "true" }, waitingTiles());
  const tiles = new Map();
  const groups = groupTiles({ list, signal, loadGroup, onGroup });
  const topOf = (job) => groups.get(job.group_id)?.node ?? tiles.get(job.id)?.node ?? null;

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
      else hang(job, follower);
    }
    groups.show(jobs);
  }
  function hang(job, follower) {
    const above = follower && topOf(follower);
    if (job.group_id === null) return void node.insertBefore(make(job).node, above);
    const group = groups.get(job.group_id) ?? groups.add(job.group_id);
    if (group.node.parentElement === null) node.insertBefore(group.node, above);
    const next = list.jobs.find(({ id, group_id: other }) => other === job.group_id && id < job.id);
    group.list.insertBefore(make(job).node, (next && tiles.get(next.id)?.node) ?? null);
  }
  function remove(ids) {
    const removed = ids.map((id) => list.find(id)).filter(Boolean);
    for (const id of ids) {
      list.remove(id);
      tiles.get(id)?.node.remove();
      tiles.delete(id);
    }
    groups.show(removed);
  }
  function clear() {
    remove([...tiles.keys()]);
    node.replaceChildren();
  }
  const select = (isChosen) => {
    for (const [id, tile] of tiles) tile.select(isChosen(id));
    groups.select(isChosen);
  };
  /** Focus the tile at this index, or the last one. Returns whether there is a tile. */
  function focusAt(index) {
    const job = list.jobs[Math.min(index, list.jobs.length - 1)];
    const group = groups.get(job?.group_id);
    if (group && !group.isOpen()) group.focus();
    else tiles.get(job?.id)?.focus();
    return job !== undefined;
  }
  return { node, put, remove, clear, select, focusAt, refreshGroups: groups.refresh };
}

/** Create the tiles of groups. Which are open is kept while the page is shown, also when the list is loaded again. */
function groupTiles({ list, signal, loadGroup, onGroup }) {
  const groups = new Map();
  const open = new Set();
  const jobsOf = (id) => list.jobs.filter((job) => job.group_id === id);

  function add(id) {
    const group = jobGroup(id, {
      signal,
      isOpenAtFirst: open.has(id),
      load: loadGroup,
      onJobs: (jobs, { isOwn }) => onGroup(jobs, { isOpen: group.isOpen(), isOwn }),
      onToggle: () => open[group.isOpen() ? "add" : "delete"](id),
    });
    groups.set(id, group);
    return group;
  }
  /** Show the groups of these jobs as the list now has them; one without jobs is removed. */
  function show(changed) {
    for (const id of new Set(changed.map(({ group_id }) => group_id))) {
      const group = groups.get(id);
      if (!group) continue;
      const jobs = jobsOf(id);
      if (jobs.length > 0) group.show(jobs);
      else {
        group.end();
        group.node.remove();
        groups.delete(id);
      }
    }
  }
  function select(isChosen) {
    for (const [id, group] of groups) group.select(jobsOf(id).some((job) => isChosen(job.id)));
  }
  const refresh = () => {
    for (const group of groups.values()) group.refresh();
  };
  return { get: (id) => groups.get(id), add, show, select, refresh };
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
