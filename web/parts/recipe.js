import { element } from "../lib/dom.js";
import { currentLocale, t, tOr } from "../lib/i18n.js";

/**
 * Create the list of settings of a job; the size is the picture's once there is one. `timeline` names the engine and the
 * model, where the generator reports them.
 */
export function recipe(settings, image = settings, timeline = []) {
  const painter = timeline.findLast(({ event }) => event === "sent")?.detail;
  const pairs = [...rowsOf(settings, image), ["recipe.painter", painter]]
    .filter(([, value]) => ![null, undefined, false, ""].includes(value))
    .map(([key, value]) => element("div", {}, element("dt", {}, t(key)), element("dd", {}, String(value))));
  return element("dl", { class: "recipe", "aria-label": t("job.settings") }, pairs);
}

/** Return the rows in order of interest; unused settings are left out. */
function rowsOf(settings, image) {
  const { type, style, quality, aspect, steps, scale, upscale, n, strength } = settings;
  const isFromPicture = settings.source_images?.length > 0;
  return [
    ["recipe.negative_prompt", settings.negative_prompt],
    ["recipe.type", type && tOr(`type.${type}`, readable(type))],
    ["recipe.style", style && [style].flat().map(styleTitle).join(", ")],
    ["recipe.pixel_art", settings.pixel_art && t("recipe.pixel_art.value", settings.pixel_art)],
    ["recipe.quality", quality && tOr(`quality.${quality}`, readable(quality))],
    ["recipe.aspect", isOfShape(aspect, image) ? tOr(`aspect.${aspect}`, readable(aspect)) : null],
    ["recipe.size", t("recipe.size.value", image)],
    ["recipe.steps", steps],
    ["recipe.scale", isNumber(scale) ? inDigits(scale) : null],
    ["recipe.upscale", upscale > 1 ? t("recipe.upscale.value", { upscale }) : null],
    ["recipe.strength", isFromPicture && isNumber(strength) ? inDigits(strength) : null],
    ["recipe.n", n > 1 ? n : null],
    ["recipe.seed", image.seed], // null if the generator ignored the seed
  ];
}

/** Whether the aspect's name matches the picture: a job with a free size keeps the unused aspect. */
function isOfShape(aspect, { width, height }) {
  if (aspect === "square") return width === height;
  if (aspect === "portrait") return width < height;
  return Boolean(aspect) && width > height;
}

const isNumber = (value) => typeof value === "number";
const inDigits = (value) => new Intl.NumberFormat(currentLocale()).format(value);

const styleTitle = (key) => tOr(`style.${key}`, readable(key));

/** Return a readable form of a key that has no text yet. */
function readable(key) {
  const spaced = key.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
