import { checkCodes, codesOf, likenessOf } from "./likeness-codes.js";
import { fieldOf, pickChoice } from "./presets.js";

const BY_QUALITY = ["steps", "scale", "upscale"];
const BY_ASPECT = ["width", "height"];

/**
 * Return a draft as the form shows it: an available quality and aspect, and null for values equal to the preset's, so
 * that only the user's own values remain.
 */
export function formValues(draft, presets) {
  const quality = pickChoice(presets.qualities, draft.quality, fieldOf(presets, "quality").default);
  const aspect = pickChoice(presets.aspects, draft.aspect, fieldOf(presets, "aspect").default);
  const preset = (choices, chosen) => choices.find(({ key }) => key === chosen) ?? {};
  return {
    ...draft,
    quality,
    aspect,
    ...ownValues(draft, preset(presets.qualities, quality), BY_QUALITY),
    ...ownSize(draft, preset(presets.aspects, aspect)),
  };
}

const ownValues = (draft, preset, names) =>
  Object.fromEntries(names.map((name) => [name, draft[name] === preset[name] ? null : (draft[name] ?? null)]));

/** Width and height count as own values together. */
function ownSize(draft, preset) {
  const isPreset = BY_ASPECT.every(
    (name) => draft[name] === undefined || draft[name] === null || draft[name] === preset[name],
  );
  return Object.fromEntries(BY_ASPECT.map((name) => [name, isPreset ? null : (draft[name] ?? null)]));
}

/** Return the content of a number field: null if empty, the number, or the text if it is not a number. */
export function readNumber(text) {
  const trimmed = text.trim().replace(",", ".");
  if (trimmed === "") return null;
  return /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
}

/** Return the body for `POST /v1/jobs`, without values that are empty or that have no effect. A weight replaces all. */
export function bodyOf({
  source_images: sources = [],
  strength,
  description,
  likeness,
  likeness_weight: weight,
  ...values
}) {
  const kept = Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== false),
  );
  return {
    ...kept,
    ...(sources.length > 0 ? { source_images: sources, strength } : {}),
    ...(values.describe && description ? { description } : {}),
    ...(likeness && isPainted({ strength, source_images: sources }) ? likenessFields(likeness, weight) : {}),
  };
}

const likenessFields = (likeness, weight) =>
  typeof weight === "number" ? { likeness: likenessOf(codesOf(likeness)), likeness_weight: weight } : { likeness };

/** Whether new pictures are made, not only given ones enlarged or described. Only then is a prompt required. */
export const isPainted = ({ strength, source_images: sources = [] }) => !(strength < 0 && sources.length > 0);

/**
 * Return what the API would refuse, `{field: {code, limit}}` with its own codes and limits.
 *
 * The API checks more; its answer shows the rest.
 */
export function checkValues(values, presets) {
  const wrong = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === undefined || value === "") continue;
    const found = checkOne(value, fieldOf(presets, name));
    if (found) wrong[name] = found;
  }
  const says = values.prompt.replaceAll("|", "").trim();
  const codes = checkCodes(codesOf(values.likeness));
  if (codes) wrong.likeness = codes;
  if (isPainted(values) && says === "") wrong.prompt = { code: "required", limit: null };
  return wrong;
}

function checkOne(value, { type, minimum, maximum, multiple_of: step, max_length: most }) {
  if (type === "string" && [...value].length > most) return { code: "too_long", limit: most };
  if (type !== "integer" && type !== "number") return null;
  if (typeof value !== "number" || (type === "integer" && !Number.isInteger(value)))
    return { code: "wrong_type", limit: null };
  if (value < minimum) return { code: "too_small", limit: minimum };
  if (value > maximum) return { code: "too_large", limit: maximum };
  return step && value % step !== 0 ? { code: "not_a_multiple", limit: step } : null;
}
