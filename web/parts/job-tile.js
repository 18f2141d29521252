import { element, fill } from "../lib/dom.js";
import { t, tOr } from "../lib/i18n.js";
import { FINISHED } from "../lib/job-state.js";
import { ratioOf } from "../lib/presets.js";
import { placeInWords } from "../lib/queue-place.js";
import { dayOf, spanInWords } from "../lib/time.js";
import { routeLink } from "./link.js";
import { picture } from "./picture.js";
import { tileMenu } from "./tile-menu.js";

/**
 * Create the tile of a job: its first picture, or its state as text.
 *
 * `onSelect(isChosen, {isRange})` reports the checkbox, `actions(job)` creates the menu's content. Returns `{node,
 * show, select, focus, closeMenu}`; `show(job)` updates the tile without rebuilding parts that may be in use.
 */
export function jobTile(first, { onSelect, actions }) {
  const { id, created_at: created } = first;
  const words = first.prompt || t("picture.untitled");
  const link = routeLink(`/pictures/${id}`, { class: "tile-link" });
  const prompt = element("p", { class: "placard" }, words);
  const state = element("span", { class: "tile-state" });
  const day = element("time", { datetime: created }, dayOf(created));
  const check = element("input", { type: "checkbox", "aria-label": t("pictures.select", { prompt: words }) });
  const menu = tileMenu(id, t("pictures.menu", { prompt: words }), actions);
  const frame = element("div", { class: "tile-frame" }, link, element("label", { class: "tile-check" }, check));
  const foot = element("div", { class: "tile-foot" }, element("p", {}, day, " ", state), menu.node);
  const node = element("li", { class: "tile", "data-id": id }, frame, prompt, foot);
  let drawn = null;

  check.addEventListener("click", ({ shiftKey }) => onSelect(check.checked, { isRange: shiftKey }));

  function show(job) {
    node.dataset.state = job.state;
    node.style.setProperty("--progress", job.progress ?? 0);
    fill(state, stateInWords(job));
    // Redraw only for another state or other pictures, so that a picture in view stays.
    const face = JSON.stringify([job.state, job.images.length, job.error]);
    if (face !== drawn) fill(link, faceOf(job));
    if (drawn !== null && (face !== drawn || node.dataset.public !== String(job.public))) menu.refresh();
    drawn = face;
    node.dataset.public = job.public;
  }
  const select = (isChosen) => {
    check.checked = isChosen;
    node.classList.toggle("is-chosen", isChosen);
  };
  show(first);
  return { node, show, select, focus: () => link.focus({ preventScroll: true }), closeMenu: menu.close };
}

function faceOf(job) {
  const [image] = job.images;
  const ratio = ratioOf(image ?? job.settings);
  const sheet = image
    ? element(
        "span",
        { class: "sheet hung", vars: { ratio } },
        picture(image, { prompt: job.prompt, isThumbnail: true }),
      )
    : element("span", { class: "sheet", vars: { ratio } }, pendingWords(job));
  const many = job.images.length > 1;
  return element(
    "span",
    { class: many ? "mat is-stack" : "mat" },
    sheet,
    many && element("span", { class: "badge" }, t("pictures.count", { n: job.images.length })),
  );
}

/** Return the text in place of a picture: the state, and the reason of a failure. */
function pendingWords({ prompt, state, error }) {
  const why = error && element("small", {}, tOr(`error.${error.code}`, error.message));
  return element(
    "span",
    { class: "pending" },
    element("span", { class: "unseen" }, prompt),
    element("span", {}, t(`job.${state}`)),
    why,
  );
}

/** Return one line for the foot of the tile. */
function stateInWords(job) {
  const { state, progress, eta_seconds: eta, public: isPublic } = job;
  if (isPublic) return t("pictures.public");
  const done =
    state === "generating" && progress !== null ? t("pictures.percent", { percent: Math.round(progress * 100) }) : null;
  const left = eta !== null && !FINISHED.has(state) ? t("job.eta", { span: spanInWords(eta) }) : null;
  return [placeInWords(job) ?? done, left].filter(Boolean).join(" · ");
}
