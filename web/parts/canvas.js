import { element } from "../lib/dom.js";

/**
 * A canvas on its easel: empty, or painted as far as the work has come.
 *
 * Answers `{node, setRatio, setProgress}`; progress is 0..1, or null while nothing is known.
 */
export function canvas({ ratio, caption = null }) {
  const wash = element("div", { class: "wash" });
  const board = element("div", { class: "canvas", vars: { ratio } }, wash, caption);
  const node = element("div", { class: "easel" }, board, element("div", { class: "easel-ledge" }));
  return {
    node,
    setRatio: (value) => board.style.setProperty("--ratio", value),
    setProgress: (value) => board.style.setProperty("--progress", value ?? 0),
  };
}
