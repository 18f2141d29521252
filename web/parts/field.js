import { element, fill, uniqueId } from "../lib/dom.js";
import { asSentence } from "../lib/error-text.js";
import { currentLocale, tOr } from "../lib/i18n.js";

/** The codes whose texts contain the limit. */
const LIMITED = new Set(["too_long", "too_short", "too_many", "too_small", "too_large", "not_a_multiple"]);

/**
 * Create a labelled input with a hint and a place for its error.
 *
 * `aside` is placed beside the label, `beside` beside the input. Returns `{node, input, showError, showHint}`;
 * `showError(null)` removes the error, as typing does.
 */
export function field({ name, label, tag = "input", hint = null, aside = null, beside = null, ...attributes }) {
  const id = uniqueId("field");
  const error = element("p", { id: `${id}-error`, class: "field-error" });
  const note = element("p", { id: `${id}-hint`, class: "hint" }, hint);
  const input = element(tag, { id, name, "aria-describedby": `${id}-error ${id}-hint`, ...attributes });

  function showError(message) {
    fill(error, message ?? "");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  input.addEventListener("input", () => showError(null));
  const head = element("div", { class: "field-head" }, element("label", { for: id }, label), aside);
  const line = beside ? element("div", { class: "field-line" }, input, beside) : input;
  const node = element("div", { class: `field field-${name}` }, head, line, note, error);
  return { node, input, showError, showHint: (words) => fill(note, words) };
}

/** Return the error of a field: the site's text for its code, else the API's message. */
function remarkInWords(message, { code = null, limit = null } = {}) {
  if (LIMITED.has(code) && limit === null) return asSentence(message);
  const most = typeof limit === "number" ? new Intl.NumberFormat(currentLocale()).format(limit) : limit;
  return tOr(`invalid.${code}`, null, { limit: most, message: asSentence(message) }) ?? asSentence(message);
}

/**
 * Show errors (`{fields: {name: message}, reasons: {name: {code, limit}}}`, such as an ApiError) at the fields and
 * focus the first one.
 *
 * Opens a closed disclosure around a field. Returns how many errors found a field.
 */
export function showFieldErrors(fields, { fields: messages, reasons = {} }) {
  const hit = Object.entries(fields).filter(([name, { showError }]) => {
    const message = messages[name];
    showError(message === undefined ? null : remarkInWords(message, reasons[name]));
    return message !== undefined;
  });
  for (const [, { input }] of hit) for (let at = input; at; at = at.parentElement?.closest("details")) at.open = true;
  hit[0]?.[1].input.focus();
  return hit.length;
}
