import { element, fill } from "../../lib/dom.js";
import { currentLocale, t } from "../../lib/i18n.js";
import { fieldOf, isShown } from "../../lib/presets.js";
import { choice } from "../choice.js";

/** Below 0 the protocol makes no new picture; below -1 it would not return the given one either. */
const KEEP = -1;
/** The texts for a strength, each with the strength at which it begins. */
const WORDS = [
  [0, "touch"],
  [0.3, "change"],
  [0.6, "remake"],
  [0.85, "free"],
];

/**
 * Create the field for what happens with the start pictures: paint from them, or only enlarge and describe them.
 *
 * `value()` is the API's strength; `isKept()` means that no new picture is made.
 */
export function strengthField(presets, { strength }, onChange) {
  const { minimum = 0, maximum = 1, default: usual = maximum } = fieldOf(presets, "strength");
  const slider = freedom({ maximum, value: strength >= 0 ? strength : usual });
  const options = [
    { value: "paint", title: t("create.start.paint"), note: t("create.start.paint.note") },
    { value: "keep", title: t("create.start.keep"), note: t("create.start.keep.note") },
  ];
  const chosen = strength < 0 ? "keep" : "paint";
  const mode = choice({ name: "start-use", legend: t("create.start.use"), options, chosen, onChange: () => show() });
  const isKept = () => minimum < 0 && mode.value() === "keep";
  const show = () => {
    slider.node.hidden = isKept();
    onChange();
  };
  slider.node.hidden = isKept();
  const isAble = isShown(presets, "strength");
  const node = element(
    "div",
    { class: "strength", hidden: true },
    minimum < 0 && isAble && mode.node,
    isAble && slider.node,
  );
  return {
    node,
    input: slider.input,
    showError: slider.showError,
    isKept: () => isAble && isKept(),
    value: () => (isAble ? (isKept() ? KEEP : Number(slider.input.value)) : null),
  };
}

function freedom({ maximum, value }) {
  const error = element("p", { class: "field-error", id: "strength-error" });
  const input = element("input", {
    type: "range",
    id: "strength",
    min: 0,
    max: maximum,
    step: 0.05,
    value,
    "aria-describedby": "strength-error",
  });
  const said = element("output", { for: "strength", class: "hint" });
  const say = () => {
    const amount = Number(input.value);
    const kind = WORDS.findLast(([from]) => amount / maximum >= from)[1];
    const percent = new Intl.NumberFormat(currentLocale(), { style: "percent" }).format(amount);
    const words = t(`create.strength.${kind}`);
    input.setAttribute("aria-valuetext", `${percent}: ${words}`);
    fill(said, element("b", {}, percent), ` ${words}`);
  };
  input.addEventListener("input", say);
  say();
  const ends = element(
    "div",
    { class: "range-ends hint", "aria-hidden": "true" },
    element("span", {}, t("create.strength.least")),
    element("span", {}, t("create.strength.most")),
  );
  const node = element(
    "div",
    { class: "field field-strength" },
    element("label", { for: "strength" }, t("create.strength")),
    input,
    ends,
    said,
    error,
  );
  return { node, input, showError: (message) => fill(error, message ?? "") };
}
