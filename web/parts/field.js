import { element, fill } from "../lib/dom.js";
import { asSentence } from "../lib/explain.js";

let count = 0;

/**
 * A labelled input with a hint and a place for what is wrong with it.
 *
 * Answers `{node, input, showError}`; `showError(null)` takes the error away, and typing does so too.
 */
export function field({ name, label, tag = "input", hint = null, aside = null, ...attributes }) {
  const id = `field-${(count += 1)}`;
  const error = element("p", { id: `${id}-error`, class: "field-error" });
  const note = hint && element("p", { id: `${id}-hint`, class: "hint" }, hint);
  const described = [`${id}-error`, note && `${id}-hint`].filter(Boolean).join(" ");
  const input = element(tag, { id, name, "aria-describedby": described, ...attributes });

  function showError(message) {
    fill(error, message ?? "");
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
  input.addEventListener("input", () => showError(null));
  const head = element("div", { class: "field-head" }, element("label", { for: id }, label), aside);
  return { node: element("div", { class: `field field-${name}` }, head, input, note, error), input, showError };
}

/** Puts each message of an error at its field, and the keyboard at the first of them. Answers how many found a field. */
export function showFieldErrors(fields, error) {
  const hit = Object.entries(fields).filter(([name, { showError }]) => {
    const message = error.fields[name];
    showError(message === undefined ? null : asSentence(message));
    return message !== undefined;
  });
  hit[0]?.[1].input.focus();
  return hit.length;
}
