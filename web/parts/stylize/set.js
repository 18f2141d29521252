import { element, fill } from "../../lib/dom.js";
import { t, tOr } from "../../lib/i18n.js";
import { FINISHED } from "../../lib/job-state.js";
import { SHARED } from "../../lib/picture-sources.js";
import { routeLink } from "../link.js";
import { reasonInWords } from "../reason.js";
import { comparison } from "./comparison.js";

/**
 * Create the pictures of a stylization, side by side in the order of its styles.
 *
 * Returns `{node, show}`; `show(jobs, {photo, previews})` updates the tiles. `photo` is an address or null, `previews`
 * maps ids of jobs to pictures of the present state.
 */
export function stylizedSet() {
  const tiles = new Map();
  const node = element("ul", { class: "stylized", "aria-label": t("stylize.pictures") });

  function show(jobs, { photo, previews }) {
    for (const job of jobs) {
      if (!tiles.has(job.id)) {
        tiles.set(job.id, tile(job));
        node.append(tiles.get(job.id).node);
      }
      tiles.get(job.id).show(job, { photo, preview: previews.get(job.id) ?? null });
    }
  }
  return { node, show };
}

const nameOf = ({ settings: { style } }) =>
  [style]
    .flat()
    .map((key) => tOr(`style.${key}`, key))
    .join(", ");

function tile(first) {
  const style = nameOf(first);
  const place = element("div", { class: "stylized-place" });
  const state = element("p", { class: "hint" });
  const bar = element("progress", { max: 1, "aria-label": style });
  const actions = element("div", { class: "actions" });
  const head = element("h2", {}, routeLink(`/pictures/${first.id}`, {}, style));
  const node = element("li", {}, head, place, bar, state, actions);
  let shown = null;

  /** A finished picture is built once, so that its slider stays where the user has put it. */
  function show(job, { photo, preview }) {
    const [image] = job.images;
    bar.value = job.progress ?? 0;
    bar.hidden = FINISHED.has(job.state);
    fill(
      state,
      job.error ? reasonInWords({ code: job.error.code, detail: job.error.message }) : t(`pictures.state.${job.state}`),
    );
    const now = image ? `${image.id} ${photo !== null}` : preview;
    if (now === shown) return;
    shown = now;
    const picture = image?.url ?? preview;
    if (image && photo) fill(place, comparison({ photo, picture, style }));
    else if (picture)
      fill(place, element("img", { ...SHARED, src: picture, alt: t("stylize.picture.alt", { style }) }));
    if (image) fill(actions, download(image, style));
  }
  return { node, show };
}

function download({ link }, style) {
  const attributes = { class: "button", href: `${link}?download=1`, download: true };
  return element("a", attributes, t("stylize.download", { style }));
}
