import { getBatch, listJobs } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { matchesFilter } from "../lib/job-filter.js";
import { JobList } from "../lib/job-list.js";
import { FINISHED } from "../lib/job-state.js";
import { pollList } from "../lib/list-polling.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { pause, whenVisible } from "../lib/pause.js";
import { announce } from "./announcer.js";
import { gridSelection } from "./grid-selection.js";
import { jobGrid } from "./job-grid.js";
import { routeLink } from "./link.js";
import { emptyNotice } from "./message.js";
import { showNotice } from "./notice-bar.js";
import { pages } from "./pages.js";
import { deletions } from "./undo-bar.js";

const PAGE = 60;

/**
 * Show the jobs that match a filter until `signal`: loaded page by page, kept up to date, changed by user actions.
 *
 * `onLost(isLost)` reports when the connection is lost and back, `showAll()` removes the filter. Returns `{node,
 * ready}`; `ready` resolves when the node holds the first page or the reason for its absence.
 */
export function jobBrowser({ filter, signal, onLost, showAll }) {
  const list = new JobList({ isDeleted: (id) => deletions.has(id) });
  const below = element("div", {});
  const first = Promise.withResolvers();
  const actions = new EventTarget();
  let revision = 0;
  const grid = jobGrid({
    list,
    signal,
    label: t("pictures.title"),
    onChange: change,
    onNew: add,
    onGone: () => {},
    onSelect: (id, isChosen, how) => selection.set(id, isChosen, how),
    loadGroup,
    onGroup: takeGroup,
  });
  const selection = gridSelection({ list, grid, signal, onChange: change });
  const ask = asker(filter, signal);
  const load = (cursor) => ask({ cursor, limit: PAGE }).then(({ jobs, next }) => ({ items: jobs, next }));
  const show = (jobs, isFirst) => {
    if (isFirst) grid.clear();
    put(jobs);
  };
  const more = pages({ list: grid.node, load, show, signal, isEndless: true });

  function put(jobs) {
    grid.put(jobs.filter(({ id }) => !deletions.has(id)));
    redraw();
  }
  function remove(ids) {
    grid.remove(ids);
    redraw();
  }
  function redraw() {
    selection.redraw();
    fill(below, isEmpty(list, grid) && nothing(filter, showAll));
  }
  function change(job) {
    revision += 1;
    if (matchesFilter(job, filter)) put([job]);
    else remove([job.id]);
  }
  function add(job) {
    change(job);
    actions.dispatchEvent(new Event("done"));
    announceNew(job, matchesFilter(job, filter) ? grid : null);
  }
  /** An older answer must not undo a user action. */
  async function loadGroup(id) {
    const before = revision;
    const answer = await getBatch(id, { signal });
    return revision === before ? answer : null;
  }
  /** An open group shows all its jobs, a closed one those of the pages loaded so far. */
  function takeGroup(jobs, { isOpen, isOwn }) {
    if (isOwn) revision += 1;
    const [suiting, others] = [true, false].map((suits) => jobs.filter((job) => matchesFilter(job, filter) === suits));
    const changed = list.changedOf(isOpen ? suiting : suiting.filter(({ id }) => list.find(id)));
    announceFinished(list, changed);
    const gone = others.filter(({ id }) => list.find(id)).map(({ id }) => id);
    if (gone.length > 0) remove(gone);
    if (changed.length > 0) put(changed);
  }
  function compare(answer) {
    const { changed, gone, hasGap } = list.compare(answer);
    if (hasGap) return void more.start();
    announceFinished(list, changed);
    if (gone.length > 0) remove(gone);
    if (changed.length > 0) put(changed);
    grid.refreshGroups();
  }
  followDeletions({ list, grid, signal, put: (jobs) => put(jobs.filter((job) => matchesFilter(job, filter))), remove });
  const look = () => ask({ limit: list.pollLimit });
  more.start().finally(() => {
    first.resolve();
    stayFresh({ look, list, onAnswer: compare, onLost, revision: () => revision, actions, signal });
  });
  return { node: element("div", { class: "cabinet-place" }, grid.node, below, more.node), ready: first.promise };
}

const isEmpty = (list, grid) => list.jobs.length === 0 && !grid.node.hasAttribute("aria-busy");

function asker(filter, signal) {
  return async (which) => {
    try {
      return await listJobs({ ...which, ...filter }, { signal });
    } catch (error) {
      if (error.status === 401) redirectToLogin({ replace: true });
      throw error;
    }
  };
}

/** Poll all jobs with one request while the page is visible, and immediately when it becomes visible. */
function stayFresh({ look, list, actions, signal, ...rest }) {
  const wake = () => actions.dispatchEvent(new Event("done"));
  document.addEventListener("visibilitychange", wake, { signal });
  addEventListener("online", wake, { signal });
  pollList({
    ...rest,
    ask: look,
    nextMs: () => list.nextPollMs,
    ready: () => whenVisible(signal),
    pause: (ms) => pause(ms, { signal, wake: actions, events: ["done"] }),
  }).catch((error) => {
    if (!isAborted(error, signal) && error.name !== "ApiError") throw error;
  });
}

/** Remove deleted jobs immediately and put restored ones back. */
function followDeletions({ list, grid, signal, put, remove }) {
  deletions.addEventListener(
    "deleted",
    ({ detail }) => {
      const index = list.jobs.findIndex(({ id }) => deletions.has(id));
      remove(detail.jobs.map(({ id }) => id));
      if (index !== -1 && !grid.focusAt(index)) document.getElementById("content").focus({ preventScroll: true });
    },
    { signal },
  );
  deletions.addEventListener(
    "restored",
    ({ detail: { jobs, error } }) => {
      put(jobs);
      if (error === null) grid.focusAt(list.jobs.findIndex(({ id }) => id === jobs[0].id));
    },
    { signal },
  );
}

function announceNew({ id }, grid) {
  if (grid === null)
    return showNotice(t("pictures.new"), { link: routeLink(`/pictures/${id}`, {}, t("pictures.new.open")) });
  grid.focusAt(0);
  scrollTo({ top: 0 });
  announce(t("pictures.new"));
}

function announceFinished(list, changed) {
  const wasOpen = ({ id }) => list.find(id) && !FINISHED.has(list.find(id).state);
  const finished = changed.filter((job) => FINISHED.has(job.state) && wasOpen(job));
  if (finished.length > 0) announce(t("pictures.finished", { n: finished.length }));
}

function nothing({ state, q }, showAll) {
  if (state === null && q === null) {
    return emptyNotice(
      t("pictures.empty"),
      routeLink("/create", { class: "button is-main" }, t("pictures.empty.action")),
    );
  }
  const all = element(
    "button",
    { type: "button", class: "button is-main", on: { click: showAll } },
    t("pictures.show_all"),
  );
  return emptyNotice(q === null ? t("pictures.none") : t("pictures.none.words", { q }), all);
}
