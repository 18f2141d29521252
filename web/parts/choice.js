import { element, fill, uniqueId } from "../lib/dom.js";

/**
 * Create a group of radio buttons with small illustrations.
 *
 * `options`: `[{value, title, note, ratio, example, picture, isOff}]`. A null `value` means none, `ratio` draws a shape,
 * `example` names a picture of `presets/`, `picture` is an element; `isOff` disables the option (`note` says why).
 * Returns `{node, input, value, showError, remark}`: `value()` is the chosen value, `input` the first enabled radio
 * button, `remark` an element for more text.
 */
export function choice({ name, legend, options, chosen, onChange = () => {}, isCompact = false }) {
  const id = uniqueId("choice");
  const error = element("p", { class: "field-error", id: `${id}-error` });
  const remark = element("div", { class: "choice-remark" });
  const inputs = options.map(({ value, isOff }) => {
    const checked = String(value) === String(chosen);
    return element("input", { type: "radio", name, value: value ?? "", checked, disabled: isOff });
  });
  const labels = options.map((option, index) =>
    element("label", { class: `option ${option.isOff ? "is-off" : ""}` }, inputs[index], face(option)),
  );
  const showError = (message) => fill(error, message ?? "");
  const node = element(
    "fieldset",
    { class: `choice choice-${name} ${isCompact ? "is-compact" : ""}`, "aria-describedby": `${id}-error` },
    element("legend", {}, legend),
    element("div", { class: "options" }, labels),
    remark,
    error,
  );
  node.addEventListener("change", () => {
    showError(null);
    onChange(value());
  });
  const value = () => inputs.find((input) => input.checked)?.value || null;
  return { node, input: inputs.find((input) => !input.disabled) ?? inputs[0], value, showError, remark };
}

function face({ title, note, ratio, example, picture }) {
  const shape = ratio && element("span", { class: "option-shape", vars: { ratio } });
  const words = element("span", { class: "option-words" }, title, note && element("small", {}, note));
  return element("span", { class: "option-face" }, shape, example && exampleOf(example), picture, words);
}

/** Return a picture of `presets/`, which `easel presets render` makes; a plain motif where there is none. */
export function exampleOf(name) {
  const picture = element("img", {
    src: `/presets/${name}.webp`,
    alt: "",
    loading: "lazy",
    width: 192,
    height: 120,
    on: { error: () => picture.remove() },
  });
  return element("span", { class: "example" }, picture);
}
