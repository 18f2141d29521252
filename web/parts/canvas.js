import { element } from "../lib/dom.js";
import { SHARED } from "../lib/picture-sources.js";

/**
 * Create a canvas on an easel: empty, with a picture (`alt` describes it), or painted as far as the work has progressed.
 *
 * Returns `{node, setRatio, setProgress, setPicture}`; progress is 0..1, or null if unknown; a picture is a URL, or
 * null for none.
 */
export function canvas({ ratio, caption = null, alt = "" }) {
  const wash = element("div", { class: "wash" });
  const start = element("img", { ...SHARED, class: "canvas-picture", alt, hidden: true });
  start.addEventListener("error", () => {
    start.hidden = true;
  });
  const board = element("div", { class: "canvas", vars: { ratio } }, start, wash, caption);
  const node = element("div", { class: "easel" }, board, element("div", { class: "easel-ledge" }));
  return {
    node,
    setRatio: (value) => board.style.setProperty("--ratio", value),
    setProgress: (value) => board.style.setProperty("--progress", value ?? 0),
    setPicture: (address) => {
      if (address && start.getAttribute("src") === address) return;
      start.hidden = !address;
      if (address) start.src = address;
      else start.removeAttribute("src");
    },
  };
}
