import { element } from "../lib/dom.js";
import { ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { dayOf } from "../lib/time.js";
import { FINISHED } from "../lib/watch.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";

/** A job on the person's own wall: its first picture, or its state where the picture will be. */
export function jobTile(job, onDelete) {
  const [image] = job.images;
  const prompt = job.prompt || t("picture.untitled");
  const inside = image ? picture(image, { prompt, isThumbnail: true }) : element("span", { class: "pending" }, stateInWords(job));
  const many = job.images.length > 1 && element("span", { class: "badge" }, t("pictures.count", { n: job.images.length }));
  const erase = FINISHED.has(job.state) && element(
    "button",
    { type: "button", class: "button is-quiet", "aria-label": t("pictures.delete.label", { prompt }), on: { click: onDelete } },
    t("pictures.delete"),
  );
  return element(
    "li",
    { "data-state": job.state, vars: { ratio: ratioOf(image ?? job.settings), progress: job.progress ?? 0 } },
    routeLink(`/pictures/${job.id}`, { class: "hung", "aria-label": prompt }, inside, many),
    element("p", { class: "placard" }, prompt),
    element("div", { class: "tile-foot" }, element("time", { datetime: job.created_at }, dayOf(job.created_at)), erase),
  );
}

function stateInWords({ state, progress }) {
  const percent = progress !== null && state === "generating" ? t("pictures.percent", { percent: Math.round(progress * 100) }) : null;
  return [t(`job.${state}`), percent].filter(Boolean).join(" · ");
}
