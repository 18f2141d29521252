import { cancelBatch } from "../lib/api.js";
import { element, fill, uniqueId } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { FINISHED } from "../lib/job-state.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { announce } from "./announcer.js";
import { picture } from "./picture.js";
import { deleteWithUndo, deletions } from "./undo-bar.js";

/** Pictures on a closed group. */
const FACES = 4;

/**
 * Create the tile of jobs that were made together. It opens to `node.list`, where the grid puts their tiles.
 *
 * `load(id)` fetches the group, or resolves to null if the answer is not to be used. `onJobs(jobs, {isOwn})` gets all its
 * jobs when they were fetched, or changed by the user, `onToggle()` is called when it was opened or closed. Returns
 * `{node, list, show, refresh, select, focus, isOpen, end}`; `show(jobs)` takes those of its jobs that the page has
 * loaded.
 */
export function jobGroup(id, { isOpenAtFirst, load, onJobs, onToggle, signal }) {
  const face = groupFace(toggle);
  const list = element("ul", { class: "cabinet" });
  const actions = groupActions(id, {
    signal,
    all: () => all(),
    onGroup: (group) => take(group, true),
    onDone: () => face.button.focus(),
  });
  const panel = element("div", { class: "group-panel", id: uniqueId("group"), hidden: true }, actions.node, list);
  const node = element("li", { class: "group", "data-group": id }, face.button, panel);
  let loaded = [];
  let known = null;
  let isStale = true;
  let isSeen = false;
  let isAsking = false;

  face.button.setAttribute("aria-controls", panel.id);
  const isOpen = () => !panel.hidden;
  /** Those not loaded are as the group's last answer had them. */
  function all() {
    const fresh = new Map(loaded.map((job) => [job.id, job]));
    const jobs = known?.map((job) => fresh.get(job.id) ?? job) ?? loaded.toReversed();
    return jobs.filter((job) => !deletions.has(job.id));
  }
  function redraw() {
    const jobs = all();
    if (jobs.length === 0) return;
    face.show(jobs);
    list.setAttribute("aria-label", t("group.jobs", { prompt: jobs[0].prompt }));
    actions.show(known === null ? [] : jobs);
  }
  function take({ jobs }, isOwn) {
    known = jobs;
    isStale = !jobs.every(isOver);
    onJobs(jobs, { isOwn });
    redraw();
  }
  /** The list's polling reports a lost connection and the end of a session; a deleted group loses its tiles by it. */
  async function refresh() {
    if (isAsking || !isSeen || !isStale) return;
    isAsking = true;
    try {
      const answer = await load(id);
      if (answer !== null) take(answer, false);
    } catch (error) {
      if (!isAborted(error, signal) && error.name !== "ApiError") throw error;
    } finally {
      isAsking = false;
    }
  }
  function open(isNow) {
    panel.hidden = !isNow;
    node.classList.toggle("is-open", isNow);
    face.button.setAttribute("aria-expanded", String(isNow));
  }
  function toggle() {
    open(!isOpen());
    onToggle();
    if (isOpen()) onJobs(all(), { isOwn: false });
    refresh();
  }
  function show(jobs) {
    // Jobs may have been deleted elsewhere.
    if (jobs.length < loaded.length) isStale = true;
    loaded = jobs;
    redraw();
  }
  const end = whenSeen(node, signal, (isNow) => {
    isSeen = isNow;
    refresh();
  });
  open(isOpenAtFirst);
  const select = (isChosen) => node.classList.toggle("is-chosen", isChosen);
  return { node, list, show, refresh, select, focus: () => face.button.focus({ preventScroll: true }), isOpen, end };
}

const isOver = ({ state }) => FINISHED.has(state);

/** Create what a group shows while it is closed: a few pictures, the first prompt and how many are finished. */
function groupFace(onClick) {
  const mat = element("span", { class: "mat group-mat" });
  const words = element("span", { class: "placard" });
  const line = element("span", { class: "group-state" });
  const bar = element("span", { class: "group-bar", "aria-hidden": "true" });
  const button = element(
    "button",
    { type: "button", class: "group-open", "aria-expanded": "false", on: { click: onClick } },
    element("span", { class: "tile-frame", "aria-hidden": "true" }, mat),
    // The space parts the words where they are read aloud.
    element("span", { class: "group-words" }, words, " ", line, bar),
  );
  let drawn = null;

  function show(jobs) {
    fill(words, t("group.name", { prompt: jobs[0].prompt || t("picture.untitled") }));
    fill(line, stateInWords(jobs));
    const share = jobs.reduce((sum, job) => sum + (isOver(job) ? 1 : (job.progress ?? 0)), 0) / jobs.length;
    bar.style.setProperty("--progress", share);
    bar.hidden = jobs.every(isOver);
    const hung = jobs.filter(({ images }) => images.length > 0).slice(0, FACES);
    // Redraw only for other pictures, so that a picture in view stays.
    const now = `${hung.map(({ images }) => images[0].id).join()} ${Math.min(jobs.length, FACES)}`;
    if (now === drawn) return;
    drawn = now;
    fill(mat, hung.map(thumbnail), emptyPlaces(Math.min(jobs.length, FACES) - hung.length));
  }
  return { button, show };
}

const thumbnail = ({ images: [image], prompt }) => picture(image, { prompt, isThumbnail: true });
const emptyPlaces = (count) => Array.from({ length: count }, () => element("span", { class: "group-place" }));

function stateInWords(jobs) {
  const count = (state) => jobs.filter((job) => job.state === state).length;
  const [failed, cancelled] = [count("failed"), count("cancelled")];
  return [
    t("group.done", { done: count("succeeded"), count: jobs.length }),
    failed > 0 && t("group.failed", { n: failed }),
    cancelled > 0 && t("group.cancelled", { n: cancelled }),
  ]
    .filter(Boolean)
    .join(" · ");
}

/** Create the actions for the whole group; those that suit its present state are shown. */
function groupActions(id, { signal, all, onGroup, onDone }) {
  const complaint = element("p", { class: "form-error", role: "alert" });
  const button = (words, click, look) =>
    element("button", { type: "button", class: `button ${look}`, hidden: true, on: { click } }, words);
  const stop = button(t("group.cancel"), cancel, "is-main");
  const erase = button(t("group.delete"), () => deleteWithUndo(all(), { group: id }), "is-danger");
  const href = `/v1/batches/${encodeURIComponent(id)}/pictures.zip`;
  const zip = element("a", { class: "button", href, download: true, hidden: true }, t("group.zip"));

  async function cancel() {
    if (stop.getAttribute("aria-disabled")) return;
    // A disabled button would lose the focus.
    stop.setAttribute("aria-disabled", "true");
    fill(complaint);
    try {
      onGroup(await cancelBatch(id, { signal }));
      announce(t("actions.cancelling"));
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.status === 401) redirectToLogin();
      else fill(complaint, errorText(error));
    } finally {
      stop.removeAttribute("aria-disabled");
    }
  }
  function show(jobs) {
    const hadFocus = document.activeElement === stop;
    stop.hidden = jobs.every(isOver);
    erase.hidden = jobs.length === 0 || !jobs.every(isOver);
    zip.hidden = !jobs.some(({ images }) => images.length > 0);
    if (hadFocus && stop.hidden) onDone();
  }
  return { node: element("div", { class: "job-actions" }, zip, stop, erase, complaint), show };
}

/** Call `tell(isSeen)` when the node comes near the window or leaves it. Returns the function that ends this. */
function whenSeen(node, signal, tell) {
  const observer = new IntersectionObserver((entries) => tell(entries.at(-1).isIntersecting), {
    rootMargin: "200px 0px",
  });
  const end = () => observer.disconnect();
  observer.observe(node);
  signal.addEventListener("abort", end, { once: true });
  return end;
}
