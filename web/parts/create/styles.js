import { element, fill, uniqueId } from "../../lib/dom.js";
import { t, tOr } from "../../lib/i18n.js";
import { fieldOf, isOffered } from "../../lib/presets.js";
import { exampleOf } from "../choice.js";

/**
 * Create the choice of styles by their themes: a picture is made in each style that is chosen.
 *
 * `value()` is null without a style, a key, or a list of keys.
 */
export function stylesField(presets, { style }) {
  const most = fieldOf(presets, "n").maximum ?? 1;
  const drafted = [style].flat().slice(0, most);
  const boxes = presets.styles.map((one) => styleBox(one, drafted.includes(one.key)));
  const error = element("p", { class: "field-error", id: uniqueId("styles-error") });
  const remark = element("div", { class: "choice-remark", "aria-live": "polite" });
  const showError = (message) => fill(error, message ?? "");
  const node = element(
    "fieldset",
    { class: "choice choice-style", "aria-describedby": error.id },
    element("legend", {}, t("create.style")),
    themes(boxes),
    remark,
    error,
  );

  function keepInStep() {
    const chosen = boxes.filter(({ input }) => input.checked);
    for (const { input, isOff } of boxes) input.disabled = isOff || (chosen.length >= most && !input.checked);
    fill(remark, element("p", { class: "hint" }, summary(chosen, most)), chosen.length > 0 && clearButton());
  }
  function clearButton() {
    const run = () => {
      for (const { input } of boxes) input.checked = false;
      node.querySelector("summary").focus();
      boxes[0].input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    return element("button", { type: "button", class: "button is-quiet", on: { click: run } }, t("create.style.none"));
  }
  node.addEventListener("input", () => {
    showError(null);
    keepInStep();
  });
  keepInStep();
  const value = () => {
    const keys = boxes.filter(({ input }) => input.checked).map(({ key }) => key);
    return keys.length > 1 ? keys : (keys[0] ?? null);
  };
  return { node, input: boxes[0].input, value, showError, remark };
}

function styleBox(preset, isChosen) {
  const isOff = !isOffered(preset);
  const input = element("input", { type: "checkbox", name: "style", value: preset.key, checked: isChosen && !isOff });
  const title = tOr(`style.${preset.key}`, preset.title);
  const note = isOff && element("small", {}, t("create.not_offered"));
  const face = element(
    "span",
    { class: "option-face" },
    exampleOf(`style-${preset.key}`),
    element("span", { class: "option-words" }, title, note),
  );
  const node = element("label", { class: `option ${isOff ? "is-off" : ""}` }, input, face);
  return { key: preset.key, theme: preset.theme ?? "other", title, isOff, input, node };
}

/** Return a disclosure for each theme, in the order of the styles; the first and those with a choice are open. */
function themes(boxes) {
  return [...new Set(boxes.map(({ theme }) => theme))].map((theme, index) => {
    const own = boxes.filter((one) => one.theme === theme);
    return element(
      "details",
      { class: "style-theme", open: index === 0 || own.some(({ input }) => input.checked) },
      element("summary", {}, tOr(`theme.${theme}`, theme)),
      element(
        "div",
        { class: "options" },
        own.map(({ node }) => node),
      ),
    );
  });
}

function summary(chosen, most) {
  const list = chosen.map(({ title }) => title).join(", ");
  if (chosen.length === 0) return t("create.style.hint", { most });
  return chosen.length === 1 ? list : t("create.style.several", { count: chosen.length, list });
}
