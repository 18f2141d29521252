import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

let region = null;

/**
 * Shows a bar at the foot of the window, above those that stand there; it stays when the view changes.
 *
 * Answers the function that takes it away.
 */
export function showBar(...children) {
  region ??= document.body.appendChild(element("section", { class: "bars", "aria-label": t("notices.label") }));
  const bar = element("div", { class: "bar" }, ...children);
  region.append(bar);
  return () => bar.remove();
}

/** A sentence that stands until it is read: with a button to close it, and heard by those who cannot see it. */
export function showNotice(sentence, { isBad = false, link = null } = {}) {
  const close = element("button", { type: "button", class: "button is-quiet" }, t("notices.close"));
  const words = element("p", { role: isBad ? "alert" : "status" }, sentence);
  const remove = showBar(words, link, close);
  close.addEventListener("click", remove);
  link?.addEventListener("click", remove);
}
