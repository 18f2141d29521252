import { listGallery } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { routeLink } from "../parts/link.js";
import { emptiness } from "../parts/message.js";
import { pages } from "../parts/pages.js";
import { picture } from "../parts/picture.js";
import { placeholders } from "../parts/wall.js";

const PAGE = 24;
const FIRST_PICTURES = 12;
const LOOK_AGAIN_MS = 4000;

/** The public wall: the invitation to paint, then everybody's published pictures. */
export function galleryView({ signal }) {
  const wall = element("ul", { class: "wall", "aria-label": t("gallery.list"), "aria-busy": "true" }, placeholders(6));
  const below = element("div", {});

  function show(items, isFirst) {
    const tiles = items.flatMap((item) => item.images.map((image) => tile(item, image)));
    if (isFirst) fill(wall, freeFrame(), tiles);
    else wall.append(...tiles);
    if (!isFirst) return;
    fill(below, tiles.length === 0 && emptiness(t("gallery.empty")));
    // A new installation paints its first pictures now; they shall appear without a reload.
    if (tiles.length < FIRST_PICTURES) {
      const again = setTimeout(() => more.start(), LOOK_AGAIN_MS);
      signal.addEventListener("abort", () => clearTimeout(again), { once: true });
    }
  }
  const load = (cursor) => listGallery({ cursor, limit: PAGE }, { signal });
  const more = pages({ list: wall, load, show, label: t("gallery.more"), signal });
  more.start();
  return { title: null, node: element("div", { class: "page" }, opening(), wall, below, more.node) };
}

function opening() {
  return element(
    "div",
    { class: "opening" },
    element("h1", { class: "display" }, t("gallery.heading")),
    element("p", { class: "lead" }, t("gallery.lead")),
  );
}

/** The first place on the wall belongs to whoever is looking at it. */
function freeFrame() {
  const words = element("span", { class: "display" }, t("gallery.frame"));
  const action = element("span", { class: "button is-main" }, t("gallery.frame.action"));
  return element("li", { vars: { ratio: 1 } }, routeLink("/create", { class: "free-frame" }, words, action));
}

function tile({ prompt }, image) {
  const label = t("picture.open", { prompt: prompt || t("picture.untitled") });
  const link = element("a", { href: image.link, class: "hung", "aria-label": label }, picture(image, { prompt, isThumbnail: true }));
  return element("li", { vars: { ratio: ratioOf(image) } }, link, element("p", { class: "placard" }, prompt));
}
