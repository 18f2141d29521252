import { element } from "../../lib/dom.js";
import { currentLocale, t, tOr } from "../../lib/i18n.js";
import { readNumber } from "../../lib/job-request.js";
import { fieldOf, isShown } from "../../lib/presets.js";
import { choice } from "../choice.js";
import { field } from "../field.js";
import { checkbox } from "./checkbox.js";
import { describeFields } from "./describe.js";
import { likenessField } from "./likeness.js";

const BY_QUALITY = ["steps", "scale", "upscale"];

/**
 * Create the rarely needed fields in a disclosure: `{node, fields, setUsual, open}`.
 *
 * `setUsual({quality, aspect})` shows the presets' values that apply to empty fields.
 */
export function advancedFields(presets, values, signal) {
  const shown = (name, make) => (isShown(presets, name) ? { [name]: make() } : {});
  const numbers = [...BY_QUALITY, "width", "height"].map((name) => shown(name, () => ownNumber(presets, name, values)));
  const fields = {
    ...Object.assign({}, ...numbers),
    ...(isShown(presets, "describe") ? describeFields(presets, values) : {}),
    ...shown("timelapse", () =>
      checkbox({ name: "timelapse", label: t("create.timelapse"), checked: values.timelapse === true }),
    ),
    ...(isShown(presets, "likeness")
      ? {
          likeness: likenessField({ likeness: values.likeness, signal }),
          likeness_weight: ownNumber(presets, "likeness_weight", values),
        }
      : {}),
    ...shown("notify", () => notifyChoice(presets, values)),
  };
  const nodes = (...names) => names.map((name) => fields[name]?.node);
  const node = element(
    "details",
    { class: "more-options", open: isUsed(fields) },
    element("summary", {}, t("create.more")),
    element(
      "div",
      {},
      element("div", { class: "numbers" }, nodes("width", "height")),
      element("div", { class: "numbers" }, nodes(...BY_QUALITY)),
      element("div", { class: "numbers" }, nodes("likeness", "likeness_weight")),
      nodes("describe", "timelapse", "notify"),
    ),
  );
  function setUsual({ quality = {}, aspect = {} }) {
    for (const name of BY_QUALITY) fields[name]?.setUsual(quality[name], "create.usual.quality");
    for (const name of ["width", "height"]) fields[name]?.setUsual(aspect[name], "create.usual.aspect");
  }
  fields.likeness_weight?.setUsual(fieldOf(presets, "likeness_weight").default, "create.usual.likeness");
  node.addEventListener("toggle", () => node.open && fields.likeness?.load());
  const open = () => {
    node.open = true;
  };
  return { node, fields, setUsual, open };
}

const isUsed = (fields) => Object.values(fields).some(({ value }) => ![null, false].includes(value()));

/** Create a field for a number that overrides the preset's; empty means the preset's value, shown in the hint. */
function ownNumber(presets, name, values) {
  const { minimum, maximum, multiple_of: step } = fieldOf(presets, name);
  const made = field({ name, label: t(`create.field.${name}`), inputmode: "decimal", autocomplete: "off" });
  const number = (value) => new Intl.NumberFormat(currentLocale(), { useGrouping: false }).format(value);
  made.input.value = values[name] ?? "";
  const range = t(step ? "create.range.step" : "create.range", { least: number(minimum), most: number(maximum), step });
  function setUsual(usual, key) {
    const isKnown = usual !== undefined && usual !== null;
    made.input.placeholder = isKnown ? number(usual) : "";
    const said = isKnown ? t(key, { value: number(usual) }) : usual === null && t("create.usual.generator");
    made.showHint([said, range].filter(Boolean).join(" "));
  }
  const clear = () => {
    made.input.value = "";
    made.showError(null);
  };
  return { ...made, value: () => readNumber(made.input.value), setUsual, clear };
}

function notifyChoice(presets, { notify }) {
  const named = (fieldOf(presets, "notify").enum ?? []).map((key) => ({
    value: key,
    title: tOr(`create.notify.${key}`, key),
  }));
  const options = [{ value: null, title: t("create.notify.account") }, ...named];
  const chosen = named.some(({ value }) => value === notify) ? notify : null;
  return choice({ name: "notify", legend: t("create.notify"), options, chosen, isCompact: true });
}
