import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { picture } from "./picture.js";

/**
 * Show the pictures of a job in the whole window: Escape closes, the arrow keys change the picture, and it can be shown
 * in actual size.
 *
 * `choose(step)` makes the page select the previous (-1) or next (1) picture and returns it. The viewer is appended to
 * `place`.
 */
export function openViewer({ image, count, prompt, choose, place }) {
  const board = element("div", {
    class: "viewer-board",
    tabindex: 0,
    role: "group",
    "aria-label": t("viewer.picture"),
  });
  const where = element("p", { class: "viewer-count", role: "status" });
  const zoom = button({ class: "button viewer-zoom", "aria-pressed": "false" }, t("viewer.zoom"), () =>
    setReal(!isReal()),
  );
  const close = button({ class: "button" }, t("viewer.close"), () => dialog.close());
  const arrows = count > 1 && [
    button({ class: "button viewer-step", "aria-label": t("viewer.previous") }, "←", () => show(choose(-1))),
    button({ class: "button viewer-step", "aria-label": t("viewer.next") }, "→", () => show(choose(1))),
  ];
  const tools = element("div", { class: "viewer-tools" }, where, arrows, zoom, close);
  const dialog = element("dialog", { class: "viewer", "aria-label": t("viewer.label", { prompt }) }, tools, board);

  const isReal = () => board.classList.contains("is-real");
  function setReal(value, at = { x: 0.5, y: 0.5 }) {
    board.classList.toggle("is-real", value);
    zoom.setAttribute("aria-pressed", String(value));
    if (!value) return;
    board.scrollLeft = board.scrollWidth * at.x - board.clientWidth / 2;
    board.scrollTop = board.scrollHeight * at.y - board.clientHeight / 2;
  }
  function show(now) {
    const shown = picture(now, { prompt, isEager: true });
    shown.style.setProperty("--real", `${now.width / devicePixelRatio}px`);
    shown.addEventListener("click", ({ offsetX, offsetY }) =>
      setReal(!isReal(), { x: offsetX / shown.clientWidth, y: offsetY / shown.clientHeight }),
    );
    fill(board, shown);
    const size = t("recipe.size.value", now);
    fill(where, count > 1 ? `${t("picture.place", { place: now.index + 1, count })} · ${size}` : size);
    setReal(isReal());
  }
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || count === 1) return;
    // The arrow keys scroll a picture that is larger than the window.
    if (isReal() && board === document.activeElement && board.scrollWidth > board.clientWidth) return;
    event.preventDefault();
    show(choose(step));
  });
  dialog.addEventListener("close", () => dialog.remove());
  place.append(dialog);
  dialog.showModal();
  show(image);
  board.focus();
}

const button = (attributes, words, click) => element("button", { type: "button", ...attributes, on: { click } }, words);
