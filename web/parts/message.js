import { element } from "../lib/dom.js";
import { errorText } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";

/** Create an error message, with a retry button if `retry` is given. */
export function errorNotice(error, retry = null) {
  const again = retry && element("button", { type: "button", class: "button", on: { click: retry } }, t("again"));
  return element("div", { class: "notice is-error", role: "alert" }, element("p", {}, errorText(error)), again);
}

/** Create a sentence in place of an empty list, with a link or button. `tag` is h1 if it is the page's heading. */
export function emptyNotice(sentence, action = null, tag = "p") {
  return element("div", { class: "emptiness" }, element(tag, { class: "display" }, sentence), action);
}

/** Create the message shown while content is loading. */
export function loading(sentence = t("loading")) {
  return element("p", { class: "loading", role: "status" }, sentence);
}
