import { element } from "../lib/dom.js";

const SHAPES = [1, 16 / 9, 1, 9 / 16, 1, 16 / 9];

/** Grey frames that hold the wall's place until the pictures are known. */
export function placeholders(count) {
  return Array.from({ length: count }, (_, index) =>
    element("li", { class: "is-waiting", "aria-hidden": "true", vars: { ratio: SHAPES[index % SHAPES.length] } },
      element("div", { class: "hung" })),
  );
}
