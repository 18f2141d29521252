import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

let region = null;

/**
 * Show a bar at the bottom of the window, above earlier ones; it stays when the view changes.
 *
 * Returns the function that removes it.
 */
export function showBar(...children) {
  region ??= document.body.appendChild(element("section", { class: "bars", "aria-label": t("notices.label") }));
  const bar = element("div", { class: "bar" }, ...children);
  region.append(bar);
  return () => bar.remove();
}

/** Show a notice with a close button, and announce it to screen readers. */
export function showNotice(sentence, { isBad = false, link = null } = {}) {
  const close = element("button", { type: "button", class: "button is-quiet" }, t("notices.close"));
  const words = element("p", { role: isBad ? "alert" : "status" }, sentence);
  const remove = showBar(words, link, close);
  close.addEventListener("click", remove);
  link?.addEventListener("click", remove);
}
