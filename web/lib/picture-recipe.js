import { isPng, pngChunks } from "./start-check.js";

/** Whether another model than any of these made the picture, so that the same settings give other pixels. */
export function isOtherModel({ made_with: made }, models = []) {
  return made !== undefined && !models.some(({ name, revision }) => name === made.model && revision === made.revision);
}

/** A recipe has at most 256 KiB, and is among the first chunks of its PNG. */
const HEAD_BYTES = 512 * 1024;
const CHUNK = "easel\0";

/** The settings that a recipe may fill in; the API checks their values. */
const SETTINGS = [
  ["negative_prompt", "string"],
  ["type", "string"],
  ["style", "string"],
  ["quality", "string"],
  ["aspect", "string"],
  ["width", "number"],
  ["height", "number"],
  ["steps", "number"],
  ["scale", "number"],
  ["upscale", "number"],
  ["strength", "number"],
  ["describe", "boolean"],
];
const PIXEL_ART = [
  ["cells", "number"],
  ["colours", "number"],
];
const DESCRIPTION = [
  ["blip_max_len", "number"],
  ["clip_max_len", "number"],
  ["skip_clip", "boolean"],
];

/**
 * Return the draft that makes a picture of Easel again, from its file; null if the file has no recipe.
 *
 * The file may come from anywhere: only known settings of the right type are taken. `made_with` is its model, if any.
 */
export async function recipeOf(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (!isPng(bytes)) return null;
  for (const { kind, data } of pngChunks(bytes)) {
    if (kind !== "tEXt") continue;
    const content = new TextDecoder("latin1").decode(data);
    if (content.startsWith(CHUNK)) return draftOf(content.slice(CHUNK.length));
  }
  return null;
}

function draftOf(json) {
  let recipe;
  try {
    recipe = JSON.parse(json);
  } catch {
    return null;
  }
  const { prompt, seed, settings, model, model_revision: revision } = recipe ?? {};
  if (typeof prompt !== "string" || settings === null || typeof settings !== "object") return null;
  const { description, pixel_art: pixelArt } = settings;
  return {
    prompt,
    ...taken(settings, SETTINGS),
    ...(isObject(pixelArt) ? { pixel_art: taken(pixelArt, PIXEL_ART) } : {}),
    ...(isObject(description) ? { description: describedBy(description) } : {}),
    ...(Number.isInteger(seed) ? { seed } : {}),
    ...(typeof model === "string"
      ? { made_with: { model, revision: typeof revision === "string" ? revision : "" } }
      : {}),
  };
}

const isObject = (value) => value !== null && typeof value === "object";

function describedBy(options) {
  const left = Array.isArray(options.skip_list) ? options.skip_list.filter((one) => typeof one === "string") : [];
  return { ...taken(options, DESCRIPTION), skip_list: left };
}

function taken(values, known) {
  const right = known.filter(([name, type]) => typeof values[name] === type);
  return Object.fromEntries(right.map(([name]) => [name, values[name]]));
}
