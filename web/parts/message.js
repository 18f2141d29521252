import { element } from "../lib/dom.js";
import { errorText } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";

/** A failure in words, with a button that tries again where that may help. */
export function errorNotice(error, retry = null) {
  const again = retry && element("button", { type: "button", class: "button", on: { click: retry } }, t("again"));
  return element("div", { class: "notice is-error", role: "alert" }, element("p", {}, errorText(error)), again);
}

/** A sentence where otherwise a list would be, with a link or button that leads on. `tag` is h1 on a page of its own. */
export function emptyNotice(sentence, action = null, tag = "p") {
  return element("div", { class: "emptiness" }, element(tag, { class: "display" }, sentence), action);
}

/** Words for the time until the content is here. */
export function loading(sentence = t("loading")) {
  return element("p", { class: "loading", role: "status" }, sentence);
}
