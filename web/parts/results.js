import { element } from "../lib/dom.js";
import { ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { picture } from "./picture.js";

/** The finished pictures of a job, each with its seed, its lasting link and its download. */
export function results({ images, prompt }) {
  const items = images.map((image) =>
    element(
      "li",
      { vars: { ratio: ratioOf(image) } },
      element("a", { href: image.link, class: "hung", "aria-label": t("picture.open", { prompt }) }, picture(image, { prompt, isEager: true })),
      element(
        "div",
        { class: "placard" },
        element("span", {}, image.seed === null ? "" : `${t("recipe.seed")} ${image.seed}`),
        element("a", { href: image.link }, t("job.link")),
        element("a", { href: `${image.link}?download=1`, download: true }, t("job.download")),
      ),
    ),
  );
  return element("ul", { class: "results", "data-count": images.length, "aria-label": t("job.pictures") }, items);
}
