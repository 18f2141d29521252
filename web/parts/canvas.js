import { element } from "../lib/dom.js";
import { SHARED } from "../lib/picture-sources.js";

/**
 * Create a canvas on an easel: empty, with a start picture, or painted as far as the work has progressed.
 *
 * Returns `{node, setRatio, setProgress, setPicture}`; progress is 0..1, or null if unknown; a picture is a URL, or
 * null for none.
 */
export function canvas({ ratio, caption = null }) {
  const wash = element("div", { class: "wash" });
  const start = element("img", { ...SHARED, class: "canvas-picture", alt: "", hidden: true });
  const board = element("div", { class: "canvas", vars: { ratio } }, start, wash, caption);
  const node = element("div", { class: "easel" }, board, element("div", { class: "easel-ledge" }));
  return {
    node,
    setRatio: (value) => board.style.setProperty("--ratio", value),
    setProgress: (value) => board.style.setProperty("--progress", value ?? 0),
    setPicture: (address) => {
      start.hidden = !address;
      if (!address) start.removeAttribute("src");
      else if (start.getAttribute("src") !== address) start.src = address;
    },
  };
}
