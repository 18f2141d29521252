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
  const picture = element("img", { ...SHARED, alt: t("stylize.picture.alt", { style }) });
  let shown = null;

  /** A finished picture is built once, so that its slider stays where the user has put it. */
  function show(job, { photo, preview }) {
    const [image] = job.images;
    const isOver = FINISHED.has(job.state);
    bar.value = job.progress ?? 0;
    bar.hidden = isOver;
    fill(
      state,
      job.error ? reasonInWords({ code: job.error.code, detail: job.error.message }) : t(`pictures.state.${job.state}`),
    );
    const now = image ? `${image.id} ${photo !== null}` : preview;
    if (now === shown || (now === null && !isOver)) return;
    shown = now;
    if (image && photo) fill(place, comparison({ photo, picture: image.url, style }));
    else if (now === null) fill(place);
    else {
      // The same element shows the last preview until the next one has arrived.
      picture.src = image?.url ?? preview;
      if (!picture.isConnected) fill(place, picture);
    }
    if (image) fill(actions, download(image, style));
  }
  return { node, show };
}

function download({ link }, style) {
  const attributes = { class: "button", href: `${link}?download=1`, download: true };
  return element("a", attributes, t("stylize.download", { style }));
}
