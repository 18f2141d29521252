import { deleteJob, listJobs } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { explain, isLeaving } from "../lib/explain.js";
import { pause, whenVisible } from "../lib/pause.js";
import { navigate } from "../lib/router.js";
import { expire } from "../lib/session.js";
import { t } from "../lib/text.js";
import { FINISHED } from "../lib/watch.js";
import { announce } from "../parts/announcer.js";
import { confirmAction } from "../parts/confirm.js";
import { jobTile } from "../parts/job-tile.js";
import { routeLink } from "../parts/link.js";
import { emptiness } from "../parts/message.js";
import { pages } from "../parts/pages.js";
import { placeholders } from "../parts/wall.js";

const PAGE = 24;
const REFRESH_MS = 4_000;

/** All jobs of the person, newest first; those that are not finished stay up to date. */
export function picturesView({ signal }) {
  const wall = element("ul", { class: "wall", "aria-label": t("pictures.title"), "aria-busy": "true" }, placeholders(6));
  const below = element("div", {});
  const tiles = new Map();

  const draw = (job) => {
    const tile = jobTile(job, () => remove(job, tile));
    tiles.set(job.id, { tile, job });
    return tile;
  };
  function show(jobs, isFirst) {
    if (isFirst) wall.replaceChildren();
    wall.append(...jobs.filter(({ id }) => !tiles.has(id)).map(draw));
    showEmptiness();
  }
  function showEmptiness() {
    const action = routeLink("/create", { class: "button is-main" }, t("pictures.empty.action"));
    fill(below, tiles.size === 0 && emptiness(t("pictures.empty"), action));
  }
  async function remove(job, tile) {
    if (!(await askToDelete())) return;
    try {
      await deleteJob(job.id, { signal });
      tiles.delete(job.id);
      focusBeside(tile);
      tile.remove();
      announce(t("pictures.deleted"));
      showEmptiness();
    } catch (error) {
      if (isLeaving(error, signal)) return;
      tile.querySelector(".form-error")?.remove();
      tile.append(element("p", { class: "form-error", role: "alert" }, explain(error)));
    }
  }
  const more = pages({ list: wall, load: (cursor) => load(cursor, signal), show, label: t("pictures.more"), signal });
  more.start().then(() => keepFresh(tiles, draw, signal));
  const heading = element("h1", { class: "display" }, t("pictures.heading"));
  return { title: t("pictures.title"), node: element("div", { class: "page" }, heading, wall, below, more.node) };
}

/** The keyboard goes on where the tile was that is about to go. */
function focusBeside(tile) {
  const neighbour = tile.nextElementSibling ?? tile.previousElementSibling;
  (neighbour?.querySelector("a") ?? document.getElementById("content")).focus();
}

async function load(cursor, signal) {
  try {
    const { jobs, next } = await listJobs({ cursor, limit: PAGE }, { signal });
    return { items: jobs, next };
  } catch (error) {
    if (error.status === 401) {
      expire();
      navigate("/login?next=/pictures", { replace: true });
    }
    throw error;
  }
}

const askToDelete = () =>
  confirmAction({ question: t("pictures.delete.ask"), detail: t("pictures.delete.detail"), action: t("pictures.delete") });

/** Draws tiles again whose job has moved on. A lost connection only makes them late. */
async function keepFresh(tiles, draw, signal) {
  while (!signal.aborted) {
    try {
      await pause(REFRESH_MS, { signal });
      await whenVisible(signal);
      if (![...tiles.values()].some(({ job }) => !FINISHED.has(job.state))) continue;
      const { jobs } = await listJobs({ limit: PAGE }, { signal });
      for (const job of jobs) redraw(tiles, draw, job);
    } catch (error) {
      if (isLeaving(error, signal) || !error.isPassing) return;
    }
  }
}

function redraw(tiles, draw, job) {
  const known = tiles.get(job.id);
  if (!known || (known.job.state === job.state && known.job.progress === job.progress)) return;
  const hadFocus = known.tile.contains(document.activeElement);
  const tile = draw(job);
  known.tile.replaceWith(tile);
  if (hadFocus) tile.querySelector("a").focus();
}
