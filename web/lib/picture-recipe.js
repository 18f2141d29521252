import { isPng, pngChunks } from "./start-check.js";

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

/**
 * Return the draft that makes a picture of Easel again, from its file; null if the file has no recipe.
 *
 * The file may come from anywhere: only known settings of the right type are taken.
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
  const { prompt, seed, settings } = recipe ?? {};
  if (typeof prompt !== "string" || settings === null || typeof settings !== "object") return null;
  const taken = SETTINGS.filter(([name, type]) => typeof settings[name] === type);
  return {
    prompt,
    ...Object.fromEntries(taken.map(([name]) => [name, settings[name]])),
    ...(Number.isInteger(seed) ? { seed } : {}),
  };
}
