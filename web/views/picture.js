import { getGalleryItem } from "../lib/api.js";
import { beginningOf } from "../lib/truncate.js";
import { element, fill } from "../lib/dom.js";
import { isLeaving } from "../lib/error-text.js";
import { isPlain, navigate, setTitle } from "../lib/router.js";
import { t } from "../lib/i18n.js";
import { loadPage, wallAddress, walls } from "../lib/gallery-visits.js";
import { routeLink } from "../parts/link.js";
import { emptiness, failure, loading } from "../parts/message.js";
import { picturePage } from "../parts/picture-page.js";

/** One published job. What the gallery knew of it is shown at once, and its recipe when that has come. */
export function pictureView({ params: { id }, signal }) {
  const wall = walls.holding(id);
  const known = wall?.find(id) ?? null;
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
      if (isLeaving(error, signal)) return;
      if (error.status === 404 || error.status === 422) return showLoss();
      if (page === null) fill(place);
      fill(trouble, failure(error, load));
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
  showAround(around, wall, id, signal);
  addEventListener("keydown", (event) => goByKey(event, page, around), { signal });
  const node = element("div", { class: "page" }, around, trouble, place);
  return { title: known ? titleOf(known) : t("picture.title"), node };
}

const titleOf = ({ prompt }) => beginningOf(prompt) || t("picture.untitled");

/** The ways to the gallery and, for who came from there, to the pictures on both sides. */
function showAround(around, wall, id, signal) {
  const draw = () => {
    const { previous, next } = wall.beside(id);
    fill(around, wayBack(wall, id), sideLink(previous, "previous"), sideLink(next, "next"));
    return next;
  };
  if (wall === null) return fill(around, routeLink("/", {}, t("picture.gallery")));
  wall.opened = id;
  if (draw() !== null || wall.next === null) return;
  // The last picture of what the gallery had loaded; without an answer there is only no way on.
  loadPage(wall, wall.next, { signal }).then(draw).catch((error) => {
    if (error.name !== "ApiError" && !isLeaving(error, signal)) throw error;
  });
}

/** To the wall as it was left. */
function wayBack(wall, id) {
  const address = wallAddress(wall.cursorOf(id));
  const back = (event) => {
    if (!isPlain(event)) return;
    event.preventDefault();
    navigate(address);
    // The gallery's view, which comes a moment later, finds its wall by this.
    history.replaceState({ wall: wall.id }, "");
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
  return element("a", { href: address, rel: side === "next" ? "next" : "prev", on: { click: go } }, t(`picture.${side}`));
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
  return emptiness(t("gone.heading"), element("div", {}, element("p", {}, t("gone.detail")), on), "h1");
}
