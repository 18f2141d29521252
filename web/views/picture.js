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

/** One published job. What the gallery knew of it is shown at once, and its recipe when that has come. */
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

/** The ways to the gallery and, for who came from there, to the pictures on both sides. */
function showAround(around, visit, id, signal) {
  const draw = () => {
    const { previous, next } = visit.neighbours(id);
    fill(around, wayBack(visit, id), sideLink(previous, "previous"), sideLink(next, "next"));
    return next;
  };
  if (visit === null) return fill(around, routeLink("/", {}, t("picture.gallery")));
  visit.opened = id;
  if (draw() !== null || visit.next === null) return;
  // The last picture of what the gallery had loaded; without an answer there is only no way on.
  loadPage(visit, visit.next, { signal })
    .then(draw)
    .catch((error) => {
      if (error.name !== "ApiError" && !isAborted(error, signal)) throw error;
    });
}

/** To the wall as it was left. */
function wayBack(visit, id) {
  const address = galleryAddress(visit.cursorOf(id));
  const back = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    navigate(address);
    // The gallery's view, which comes a moment later, finds its wall by this.
    history.replaceState({ visit: visit.id }, "");
  };
  return element("a", { href: address, on: { click: back } }, t("picture.gallery"));
}

/** To a picture beside this one, in this one's place of the history: Back leads to the gallery. */
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

/** The arrow keys go through the pictures of the job; a job with one picture leads on to the pictures beside it. */
function goByKey(event, page, around) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const isForAnother = event.target.closest?.("input, textarea, select, dialog") || event.defaultPrevented;
  if (step === undefined || page === null || isForAnother) return;
  if (!isPlain(event)) return;
  if (page.count > 1) page.choose(step);
  else around.querySelector(`[rel="${step > 0 ? "next" : "prev"}"]`)?.click();
}

/** For a picture that was taken back, and for an address that never was one. */
function gone() {
  const on = routeLink("/", { class: "button is-main" }, t("picture.gallery"));
  return emptyNotice(t("gone.heading"), element("div", {}, element("p", {}, t("gone.detail")), on), "h1");
}
