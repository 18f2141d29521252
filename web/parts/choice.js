import { element, fill } from "../lib/dom.js";

/**
 * One of several, as radio buttons that show what they mean.
 *
 * `options`: `[{value, title, note, ratio}]`; `ratio` draws the shape. Answers `{node, input, value, showError}` where
 * `value()` is the chosen one's value and `input` the first radio button.
 */
export function choice({ name, legend, options, chosen, onChange = () => {}, isCompact = false }) {
  const error = element("p", { class: "field-error" });
  const inputs = options.map(({ value }) =>
    element("input", { type: "radio", name, value, checked: String(value) === String(chosen) }),
  );
  const labels = options.map((option, index) => element("label", { class: "option" }, inputs[index], face(option)));
  const showError = (message) => fill(error, message ?? "");
  const node = element(
    "fieldset",
    { class: `choice choice-${name} ${isCompact ? "is-compact" : ""}` },
    element("legend", {}, legend),
    element("div", { class: "options" }, labels),
    error,
  );
  node.addEventListener("change", () => {
    showError(null);
    onChange(value());
  });
  const value = () => inputs.find((input) => input.checked)?.value ?? null;
  return { node, input: inputs[0], value, showError };
}

function face({ title, note, ratio }) {
  const shape = ratio && element("span", { class: "option-shape", vars: { ratio } });
  const words = element("span", { class: "option-words" }, title, note && element("small", {}, note));
  return element("span", { class: "option-face" }, shape, words);
}
