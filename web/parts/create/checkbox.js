import { element, fill, uniqueId } from "../../lib/dom.js";

/** Create a labelled checkbox: a field whose `value()` is true or false. */
export function checkbox({ name, label, hint = null, checked = false, onChange = () => {} }) {
  const id = uniqueId("checkbox");
  const error = element("p", { class: "field-error", id: `${id}-error` });
  const input = element("input", { type: "checkbox", id, name, checked, "aria-describedby": `${id}-error ${id}-hint` });
  const showError = (message) => fill(error, message ?? "");
  input.addEventListener("change", () => {
    showError(null);
    onChange(input.checked);
  });
  const words = element("label", { for: id, class: "tick-label" }, input, element("span", {}, label));
  const note = element("p", { class: "hint", id: `${id}-hint` }, hint);
  return { node: element("div", { class: "tick" }, words, note, error), input, showError, value: () => input.checked };
}
