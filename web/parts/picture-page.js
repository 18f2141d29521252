import { element, fill } from "../lib/dom.js";
import { saveDraft } from "../lib/draft.js";
import { t } from "../lib/i18n.js";
import { ratioOf } from "../lib/presets.js";
import { remakeOf } from "../lib/remake.js";
import { navigate } from "../lib/router.js";
import { dayOf } from "../lib/time.js";
import { announce } from "./announcer.js";
import { copyLink } from "./copy-link.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";
import { recipe } from "./recipe.js";
import { askForReport } from "./report.js";
import { timelapse } from "./timelapse.js";
import { openViewer } from "./viewer.js";

/**
 * Create the page of a published job: its pictures, one at a time, with recipe and actions.
 *
 * The address's `#<index>` selects a picture. Returns `{node, count, choose, showRecipe}`: `choose(step)` selects the
 * previous or next picture and returns it; `showRecipe(settings)` adds what the gallery list does not contain.
 */
export function picturePage(item, { signal }) {
  const { prompt, images } = item;
  const stage = element("div", { class: "picture-stage" });
  const node = element("article", { class: "picture-page" });
  const view = element("button", { type: "button", class: "hung", on: { click: open } });
  const frame = element("div", { class: "picture-frame" }, view);
  const strip = images.length > 1 ? stripOf(item, (index) => select(index)) : null;
  const label = labelOf(item, { report: () => askForReport({ id: item.job_id, place: node, signal }) });
  let chosen = atHash(images);
  let settings = null;

  function open() {
    openViewer({
      image: images[chosen],
      count: images.length,
      prompt: prompt || t("picture.untitled"),
      choose,
      place: node,
    });
  }
  function show() {
    const image = images[chosen];
    frame.style.setProperty("--ratio", ratioOf(image));
    view.setAttribute("aria-label", t("picture.open", { prompt: prompt || t("picture.untitled") }));
    fill(view, picture(image, { prompt, isEager: true }));
    strip?.mark(chosen);
    label.show(image);
    if (settings !== null) label.showRecipe(settings, image);
  }
  function select(index) {
    if (index === chosen) return;
    chosen = index;
    history.replaceState(history.state, "", `#${images[chosen].index}`);
    show();
    announce(t("picture.place", { place: chosen + 1, count: images.length }));
  }
  function choose(step) {
    select((chosen + step + images.length) % images.length);
    return images[chosen];
  }
  show();
  fill(stage, frame, strip?.node, timelapse(item));
  fill(node, stage, label.node);
  return {
    node,
    count: images.length,
    choose,
    showRecipe: (known) => {
      settings = known;
      label.showRecipe(settings, images[chosen]);
    },
  };
}

/** Return the position of the picture in the address, else of the first. */
function atHash(images) {
  return Math.max(
    0,
    images.findIndex(({ index }) => `#${index}` === location.hash),
  );
}

/** Create the thumbnails of all pictures. Returns `{node, mark}`. */
function stripOf({ prompt, images }, select) {
  const links = images.map((image, place) => {
    const click = (event) => {
      event.preventDefault();
      select(place);
    };
    const words = t("picture.place", { place: place + 1, count: images.length });
    return element(
      "a",
      { href: `#${image.index}`, class: "hung", "aria-label": words, vars: { ratio: ratioOf(image) }, on: { click } },
      picture(image, { prompt, isThumbnail: true }),
    );
  });
  const mark = (chosen) =>
    links.forEach((link, place) => {
      if (place === chosen) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  return {
    node: element(
      "ul",
      { class: "picture-strip", "aria-label": t("picture.strip") },
      links.map((link) => element("li", {}, link)),
    ),
    mark,
  };
}

/** Create the text beside the picture. Returns `{node, show, showRecipe}`. */
function labelOf({ prompt, published_at, created_at }, { report }) {
  const link = copyLink({ label: t("job.link") });
  const download = element("a", { class: "button", download: true }, t("job.download"));
  const start = routeLink("/create", { class: "button" }, t("picture.start"));
  const settings = element("button", { type: "button", class: "button", disabled: true }, t("picture.settings"));
  const place = element("div", { class: "picture-recipe" });
  const date = published_at ?? created_at;
  const again =
    prompt &&
    routeLink(`/create?prompt=${encodeURIComponent(prompt)}`, { class: "button is-main" }, t("picture.prompt"));
  const node = element(
    "div",
    { class: "picture-label" },
    element("h1", { class: "display" }, prompt || t("picture.untitled")),
    element("p", { class: "hint" }, element("time", { datetime: date }, t("picture.published", { day: dayOf(date) }))),
    element("div", { class: "actions" }, again, settings, start, download),
    place,
    link.node,
    element(
      "p",
      {},
      element(
        "button",
        { type: "button", class: "button is-quiet report-open", on: { click: report } },
        t("report.open"),
      ),
    ),
  );
  let known = null;
  settings.addEventListener("click", () => {
    saveDraft(draftOf(prompt, known));
    navigate("/create");
  });
  return {
    node,
    show: (image) => {
      link.show(new URL(image.link, location.origin).href);
      download.setAttribute("href", `${image.link}?download=1`);
      start.setAttribute("href", `/create?start=${encodeURIComponent(image.id)}`);
    },
    showRecipe: (now, image) => {
      known = now;
      settings.disabled = false;
      fill(place, element("h2", {}, t("job.settings")), recipe(now, image));
    },
  };
}

/** Return a draft for the create form, without strength, which has no meaning without a start picture. */
function draftOf(prompt, settings) {
  const { strength: _, ...draft } = remakeOf({ prompt, settings });
  return draft;
}
