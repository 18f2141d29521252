import { getGalleryItem } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { galleryAddress, loadPage, visits } from "../lib/gallery-visits.js";
import { t } from "../lib/i18n.js";
import { isPlain, navigate, setTitle } from "../lib/router.js";
import { truncate } from "../lib/truncate.js";
import { routeLink } from "../parts/link.js";
import { emptyNotice, errorNotice, loading } from "../parts/message.js";
import { picturePage } from "../parts/picture-page.js";

/** The page of a published job. Data from the gallery is shown immediately, the recipe once it is loaded. */
export function pictureView({ params: { id }, signal }) {
  const visit = visits.containing(id);
  const known = visit?.find(id) ?? null;
  const place = element("div", { class: "picture-place" });
  const trouble = element("div", { class: "notices" });
  const around = element("nav", { class: "picture-around", "aria-label": t("picture.around") });
  let page = null;

  function show(item) {
    if (page !== null) return;
    page = picturePage(item, { signal });
    fill(place, page.node);
    setTitle(titleOf(item));
  }
  async function load() {
    fill(trouble);
    if (page === null) fill(place, loading());
    try {
      const item = await getGalleryItem(id, { signal });
      if (item.images.length === 0) return showLoss();
      show(item);
      page.showRecipe(item.settings);
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.status === 404 || error.status === 422) return showLoss();
      if (page === null) fill(place);
      fill(trouble, errorNotice(error, load));
      if (error.isPassing) addEventListener("online", load, { signal, once: true });
    }
  }
  function showLoss() {
    page = null;
    setTitle(t("gone.heading"));
    fill(place, gone());
  }
  if (known) show(known);
  load();
  showAround(around, visit, id, signal);
  addEventListener("keydown", (event) => goByKey(event, page, around), { signal });
  const node = element("div", { class: "page" }, around, trouble, place);
  return { title: known ? titleOf(known) : t("picture.title"), node };
}

const titleOf = ({ prompt }) => truncate(prompt) || t("picture.untitled");

/** Show the link to the gallery and, after a visit to it, those to the neighbours. */
function showAround(around, visit, id, signal) {
  const draw = () => {
    const { previous, next } = visit.neighbours(id);
    fill(around, wayBack(visit, id), sideLink(previous, "previous"), sideLink(next, "next"));
    return next;
  };
  if (visit === null) return fill(around, routeLink("/", {}, t("picture.gallery")));
  visit.opened = id;
  if (draw() !== null || visit.next === null) return;
  // This is the last loaded picture; without an answer there is no next one.
  loadPage(visit, visit.next, { signal })
    .then(draw)
    .catch((error) => {
      if (error.name !== "ApiError" && !isAborted(error, signal)) throw error;
    });
}

/** Create the link to the gallery at the position where it was left. */
function wayBack(visit, id) {
  const address = galleryAddress(visit.cursorOf(id));
  const back = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    navigate(address);
    // The gallery view, shown a moment later, finds its visit by this.
    history.replaceState({ visit: visit.id }, "");
  };
  return element("a", { href: address, on: { click: back } }, t("picture.gallery"));
}

/** Create the link to a neighbour. It replaces the history entry, so that Back leads to the gallery. */
function sideLink(item, side) {
  if (item === null) return null;
  const address = `/gallery/${item.job_id}`;
  const go = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    navigate(address, { replace: true });
  };
  return element(
    "a",
    { href: address, rel: side === "next" ? "next" : "prev", on: { click: go } },
    t(`picture.${side}`),
  );
}

/** Handle the arrow keys: through the pictures of the job, or to the neighbours if there is only one. */
function goByKey(event, page, around) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const isForAnother = event.target.closest?.("input, textarea, select, dialog") || event.defaultPrevented;
  if (step === undefined || page === null || isForAnother) return;
  if (!isPlain(event)) return;
  if (page.count > 1) page.choose(step);
  else around.querySelector(`[rel="${step > 0 ? "next" : "prev"}"]`)?.click();
}

/** Return the message for an unpublished picture or an unknown address. */
function gone() {
  const on = routeLink("/", { class: "button is-main" }, t("picture.gallery"));
  return emptyNotice(t("gone.heading"), element("div", {}, element("p", {}, t("gone.detail")), on), "h1");
}
