import { element, fill } from "../lib/dom.js";
import { isLeaving } from "../lib/explain.js";
import { failure } from "./message.js";

/**
 * Loads a list page by page below `list`.
 *
 * `load(cursor)` answers `{items, next}`, `show(items, isFirst)` puts them into the list, which is busy until then.
 * Answers `{node, start}`: the place for the button and for errors, and the function that loads the first page.
 */
export function pages({ list, load, show, label, signal }) {
  const node = element("div", { class: "more" });

  async function step(cursor) {
    const button = node.querySelector("button");
    if (button) button.disabled = true;
    try {
      const { items, next } = await load(cursor);
      signal.throwIfAborted();
      list.removeAttribute("aria-busy");
      show(items, cursor === null);
      fill(node, next && element("button", { type: "button", class: "button", on: { click: () => step(next) } }, label));
    } catch (error) {
      if (isLeaving(error, signal)) return;
      if (list.hasAttribute("aria-busy")) list.replaceChildren();
      fill(node, failure(error, () => step(cursor)));
    }
  }
  return { node, start: () => step(null) };
}
