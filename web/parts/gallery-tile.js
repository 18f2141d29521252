import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { ratioOf } from "../lib/presets.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";

const SHAPES = [1, 16 / 9, 1, 9 / 16, 1, 16 / 9];

/** Grey frames that hold the wall's place until the pictures are known. */
export function placeholders(count) {
  return Array.from({ length: count }, (_, index) =>
    element(
      "li",
      { class: "is-waiting", "aria-hidden": "true", vars: { ratio: SHAPES[index % SHAPES.length] } },
      element("div", { class: "hung" }),
    ),
  );
}

/** A published job on the wall: its first picture, which leads to its page. Several of one job hang behind each other. */
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
    // The link says the same to those who listen.
    element("p", { class: "placard", "aria-hidden": "true" }, name),
  );
}

/** The first place on the wall belongs to whoever is looking at it. */
export function invitationTile() {
  const words = element("span", { class: "display" }, t("gallery.frame"));
  const action = element("span", { class: "button is-main" }, t("gallery.frame.action"));
  return element("li", { vars: { ratio: 1 } }, routeLink("/create", { class: "free-frame" }, words, action));
}
