import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { ratioOf } from "../lib/presets.js";
import { isPlain } from "../lib/router.js";
import { copyButton } from "./copy-button.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";
import { openViewer } from "./viewer.js";

/** Create the list of finished pictures, each with description, seed and links. */
export function results({ images, prompt }) {
  const items = images.map((image) =>
    element("li", {}, element("figure", {}, hung(image, { images, prompt }), placard(image, images.length))),
  );
  return element(
    "ul",
    { class: "results", "aria-label": t("job.pictures"), vars: { ratio: ratioOf(images[0]) } },
    items,
  );
}

/** A plain click opens the viewer; in a new tab the permanent link works as usual. */
function hung(image, { images, prompt: words }) {
  const prompt = words || t("picture.untitled");
  const label = t("picture.open", { prompt });
  const shown = picture(image, { prompt, isEager: true });
  const link = element("a", { href: image.link, class: "hung", "aria-label": label, on: { click: open } }, shown);
  function open(event) {
    if (!isPlain(event)) return;
    event.preventDefault();
    let index = images.indexOf(image);
    const choose = (step) => {
      index = (index + step + images.length) % images.length;
      return images[index];
    };
    openViewer({ image, count: images.length, prompt, choose, place: document.body });
  }
  return link;
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
