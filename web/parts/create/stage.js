import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { ratioOf } from "../../lib/presets.js";
import { canvas } from "../canvas.js";

/** Create the easel beside the form: a canvas in the chosen shape with the first start picture on it. */
export function stage() {
  const size = element("p", { class: "canvas-size" });
  const invitation = element("p", { class: "canvas-drop", "aria-hidden": "true" }, t("create.stage.drop"));
  const board = canvas({ ratio: 1, caption: invitation });
  const node = element("div", { class: "create-stage" }, board.node, size);
  function show({ width, height, picture }) {
    board.setRatio(ratioOf({ width, height }));
    fill(size, t("create.canvas", { width, height }));
    board.setPicture(picture);
    invitation.hidden = Boolean(picture);
  }
  return { node, show };
}
