import { element } from "../../lib/dom.js";
import { currentLocale, t } from "../../lib/i18n.js";
import { fieldOf } from "../../lib/presets.js";
import { choice } from "../choice.js";

/**
 * Create the fields of the reduction to pixel art, `pixel_art` and those inside under their paths, and `show(type)`.
 *
 * Their values are doubled from the least that the API accepts to the most.
 */
export function pixelArtFields(presets, { pixel_art: given }) {
  const ranges = fieldOf(presets, "pixel_art").ranges ?? {};
  const usual = presets.types.find((type) => type.pixel_art)?.pixel_art ?? {};
  const parts = Object.entries(ranges).map(([name, range]) => [
    name,
    amount(name, range, given?.[name] ?? usual[name]),
  ]);
  const node = element(
    "div",
    { class: "pixel-art" },
    parts.map(([, part]) => part.node),
  );
  const value = () =>
    node.hidden ? null : Object.fromEntries(parts.map(([name, part]) => [name, Number(part.value())]));
  const show = (type) => {
    node.hidden = presets.types.find(({ key }) => key === type)?.pixel_art === undefined;
  };
  const inner = Object.fromEntries(parts.map(([name, part]) => [`pixel_art.${name}`, part]));
  return { node, show, fields: { pixel_art: { ...parts[0]?.[1], node, value }, ...inner } };
}

function amount(name, { minimum, maximum }, chosen) {
  const steps = [];
  for (let step = minimum; step <= maximum; step *= 2) steps.push(step);
  if (typeof chosen === "number" && chosen > minimum && chosen < maximum && !steps.includes(chosen)) steps.push(chosen);
  const number = new Intl.NumberFormat(currentLocale());
  const options = steps.sort((one, other) => one - other).map((step) => ({ value: step, title: number.format(step) }));
  return choice({ name: `pixel_art.${name}`, legend: t(`create.pixel_art.${name}`), options, chosen, isCompact: true });
}
