import { previousPage, savedPosition, savePosition } from "../lib/breadcrumbs.js";
import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { galleryAddress, loadPage, refreshFirstPage, visits } from "../lib/gallery-visits.js";
import { t } from "../lib/i18n.js";
import { pause, whenVisible } from "../lib/pause.js";
import { firstRow } from "../lib/picture-sources.js";
import { ratioOf } from "../lib/presets.js";
import { galleryTile, invitationTile, placeholders } from "../parts/gallery-tile.js";
import { routeLink } from "../parts/link.js";
import { emptyNotice, errorNotice } from "../parts/message.js";
import { pages } from "../parts/pages.js";
import { focusTile, scrollRestorer, trackScrollPosition } from "../parts/scroll-position.js";

const FIRST_PICTURES = 12;
/** The intervals at which a new installation is checked for its first pictures; the last one repeats. */
const LOOK_AGAIN_MS = [4_000, 4_000, 4_000, 8_000, 15_000, 30_000, 60_000];
/** The approximate width of a row divided by its height. */
const BREADTH = 4;

/**
 * The public gallery: an invitation, then all published pictures.
 *
 * Every page of the list has an address, `/?after=<cursor>`, which follows the page in view. Going back shows the same
 * pages at the same position, from memory or, after a reload, from the page in the address.
 */
export function galleryView({ query, signal }) {
  const kept = visits.open(history.state?.visit);
  const visit = kept ?? visits.begin(query.get("after"), history.state?.visit);
  const list = element(
    "ul",
    { class: "wall gallery-wall", "aria-label": t("gallery.list"), "aria-busy": "true" },
    placeholders(12),
  );
  const place = visit.position ?? savedPosition(visit.id);
  const goBack = place && scrollRestorer(list, place, signal);
  const below = element("div", { class: "notices" });
  const more = pages({
    list,
    load: (cursor) => loadPage(visit, cursor, { signal }),
    show: (_, isFirst) => (isFirst ? showFirst() : showMore()),
    signal,
    isEndless: true,
    explainFailure: (error, retry) =>
      error.status === 400 && visit.start !== null ? notThere() : errorNotice(error, retry),
  });

  function showFirst() {
    fill(list, visit.start === null && invitationTile());
    hang(list, visit.items, rowOf(visit.items));
    fill(below, visit.items.length === 0 && emptyNotice(t(visit.start === null ? "gallery.empty" : "gallery.end")));
    // After the router has added the view to the page.
    queueMicrotask(() => {
      goBack?.();
      if (visit.opened) focusTile(list, visit.opened);
    });
    keepLooking(visit, list, below, signal);
  }
  function showMore() {
    hang(list, visit.pages.at(-1).items);
    goBack?.();
  }
  keepHistory(visit, list, signal);
  queueMicrotask(() => scrollTo({ top: 0, behavior: "instant" }));
  if (kept) {
    list.removeAttribute("aria-busy");
    showFirst();
    more.offer(visit.next);
  } else {
    more.start(visit.start);
  }
  const newer = visit.start !== null && newerLink(visit.start);
  return { title: null, node: element("div", { class: "page" }, opening(), newer, list, below, more.node) };
}

function hang(list, items, eager = 0) {
  list.append(...items.map((item, index) => galleryTile(item, { isEager: index < eager })));
}

const rowOf = (items) =>
  firstRow(
    items.map(({ images: [image] }) => ratioOf(image)),
    BREADTH,
  );

/** Keep the address, the scroll position and the way back up to date. */
function keepHistory(visit, list, signal) {
  history.replaceState({ visit: visit.id }, "");
  // The browser cannot restore the position, because the height changes while pages load.
  history.scrollRestoration = "manual";
  let address = location.pathname + location.search;
  trackScrollPosition({
    list,
    signal,
    onPlace: (place) => {
      visit.position = place;
      if (signal.aborted) return; // the address already belongs to the next view
      const now = galleryAddress(visit.cursorOf(place.job));
      if (now === address) return;
      address = now;
      history.replaceState({ visit: visit.id }, "", address);
    },
  });
  const remember = () => visit.position && savePosition(visit.id, visit.position);
  addEventListener("pagehide", remember, { signal });
  signal.addEventListener(
    "abort",
    () => {
      remember();
      history.scrollRestoration = "auto";
    },
    { once: true },
  );
}

/** Show the first pictures of a new installation without a reload, below the ones already shown. */
async function keepLooking(visit, list, below, signal) {
  for (let round = 0; isNew(visit); round += 1) {
    try {
      await pause(LOOK_AGAIN_MS[Math.min(round, LOOK_AGAIN_MS.length - 1)], { signal });
      await whenVisible(signal);
      hang(list, await refreshFirstPage(visit, { signal }));
      if (visit.items.length > 0) fill(below);
    } catch (error) {
      if (isAborted(error, signal) || !error.isPassing) return;
    }
  }
}

const isNew = ({ pages: [page], next, items }) =>
  page?.cursor === null && next === null && items.length < FIRST_PICTURES;

function opening() {
  return element(
    "div",
    { class: "opening" },
    element("h1", { class: "display" }, t("gallery.heading")),
    element("p", { class: "lead" }, t("gallery.lead")),
  );
}

function newerLink(start) {
  return element(
    "p",
    { class: "newer" },
    routeLink(galleryAddress(previousPage(start)), { class: "button" }, t("gallery.newer")),
  );
}

/** Return the message for an address with an invalid cursor, for example a shortened one. */
function notThere() {
  const on = routeLink("/", { class: "button is-main" }, t("gallery.start"));
  return emptyNotice(t("gallery.lost"), on);
}
