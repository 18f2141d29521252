import { element } from "../lib/dom.js";
import { ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { copyButton } from "./copy-button.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";

/** The finished pictures of a job, each with its description, its seed and what can be done with it. */
export function results({ images, prompt }) {
  const items = images.map((image) =>
    element("li", {}, element("figure", {}, hung(image, prompt), placard(image, images.length))),
  );
  return element("ul", { class: "results", "aria-label": t("job.pictures"), vars: { ratio: ratioOf(images[0]) } }, items);
}

function hung(image, prompt) {
  const label = t("picture.open", { prompt: prompt || t("picture.untitled") });
  return element("a", { href: image.link, class: "hung", "aria-label": label }, picture(image, { prompt, isEager: true }));
}

function placard(image, count) {
  const number = count > 1 ? t("job.number", { number: image.index + 1, count }) : null;
  const seed = image.seed === null ? null : `${t("recipe.seed")} ${image.seed}`;
  return element(
    "figcaption",
    { class: "placard" },
    image.description && element("p", { class: "description" }, image.description),
    element("span", { class: "seed" }, [number, seed].filter(Boolean).join(" · ")),
    element(
      "div",
      { class: "placard-tools" },
      element("a", { href: `${image.link}?download=1`, download: true }, t("job.download")),
      element("a", { href: image.link }, t("job.link")),
      copyButton(new URL(image.link, location.href).href, t("job.copy")),
      routeLink(`/create?start=${encodeURIComponent(image.id)}`, {}, t("job.start")),
    ),
  );
}
