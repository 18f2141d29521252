import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { ratioOf } from "../lib/presets.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";

const SHAPES = [1, 16 / 9, 1, 9 / 16, 1, 16 / 9];

/** Create grey frames that reserve the space until the pictures are known. */
export function placeholders(count) {
  return Array.from({ length: count }, (_, index) =>
    element(
      "li",
      { class: "is-waiting", "aria-hidden": "true", vars: { ratio: SHAPES[index % SHAPES.length] } },
      element("div", { class: "hung" }),
    ),
  );
}

/** Create the tile of a published job: its first picture, linked to its page; several pictures are stacked. */
export function galleryTile({ job_id: id, prompt, images }, { isEager = false } = {}) {
  const [image] = images;
  const count = images.length;
  const name = prompt || t("picture.untitled");
  const pictures = t("pictures.count", { n: count });
  const label = count > 1 ? `${name}: ${pictures}` : name;
  const badge = count > 1 && element("span", { class: "badge" }, pictures);
  return element(
    "li",
    { class: count > 1 ? "is-several" : null, "data-job": id, vars: { ratio: ratioOf(image) } },
    routeLink(
      `/gallery/${id}`,
      { class: "hung", "aria-label": label },
      picture(image, { prompt, isThumbnail: true, isEager }),
      badge,
    ),
    // The link has the same text for screen readers.
    element("p", { class: "placard", "aria-hidden": "true" }, name),
  );
}

/** Create the first tile of the gallery, an invitation to the visitor. */
export function invitationTile() {
  const words = element("span", { class: "display" }, t("gallery.frame"));
  const action = element("span", { class: "button is-main" }, t("gallery.frame.action"));
  return element("li", { vars: { ratio: 1 } }, routeLink("/create", { class: "free-frame" }, words, action));
}
