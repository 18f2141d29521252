import { element, fill } from "../../lib/dom.js";
import { t, tOr } from "../../lib/i18n.js";
import { fieldOf, isOffered, isShown, pickChoice, ratioOf } from "../../lib/presets.js";
import { choice } from "../choice.js";
import { stylesField } from "./styles.js";

/**
 * Create the choices `{type, style, quality, aspect, n}` that the API offers.
 *
 * They are built from the presets only; a choice that this site cannot make is shown as unavailable.
 */
export function presetChoices(presets, values) {
  const all = {
    type: typeChoice(presets, values),
    style: stylesField(presets, values),
    aspect: aspectChoice(presets, values),
    quality: qualityChoice(presets, values),
    n: countChoice(presets, values),
  };
  return Object.fromEntries(Object.entries(all).filter(([name]) => isShown(presets, name)));
}

/** Return an option; if the site has no text for its `key`, `title` is the API's. */
function option(preset, title, { note = null, ...rest } = {}) {
  const isOff = !isOffered(preset);
  return { value: preset.key, title, isOff, note: isOff ? t("create.not_offered") : note, ...rest };
}

function typeChoice(presets, { type }) {
  const options = presets.types.map((one) =>
    option(one, tOr(`type.${one.key}`, one.title), { example: `type-${one.key}` }),
  );
  const chosen = pickChoice(presets.types, type, fieldOf(presets, "type").default);
  return choice({ name: "type", legend: t("create.type"), options, chosen });
}

function aspectChoice(presets, { aspect }) {
  const options = presets.aspects.map((one) =>
    option(one, tOr(`aspect.${one.key}`, one.title), { ratio: ratioOf(one) }),
  );
  return choice({ name: "aspect", legend: t("create.aspect"), options, chosen: aspect });
}

export function qualityChoice(presets, { quality }) {
  const options = presets.qualities.map((one) => {
    // Where the generators' models differ, each has its own steps.
    const notes = [one.steps !== null && t("create.steps", one), one.upscale > 1 && t("create.upscale", one)];
    return option(one, tOr(`quality.${one.key}`, one.title), { note: notes.filter(Boolean).join(", ") || null });
  });
  return choice({ name: "quality", legend: t("create.quality"), options, chosen: quality });
}

function countChoice(presets, { n }) {
  const { minimum = 1, maximum = 1, default: usual = minimum } = fieldOf(presets, "n");
  const options = Array.from({ length: maximum - minimum + 1 }, (_, index) => ({
    value: minimum + index,
    title: String(minimum + index),
  }));
  const chosen = options.some(({ value }) => value === n) ? n : usual;
  const made = choice({ name: "n", legend: t("create.n"), options, chosen, isCompact: true });
  return { ...made, value: () => Number(made.value()) };
}

/** Show below a choice that own values override it, with a button that resets them; null shows nothing. */
export function showOverride({ remark }, sentence, giveUp) {
  if (sentence === null) return fill(remark);
  const button = element(
    "button",
    { type: "button", class: "button is-quiet", on: { click: giveUp } },
    t("create.own.drop"),
  );
  return fill(remark, element("p", { class: "hint" }, sentence), button);
}
