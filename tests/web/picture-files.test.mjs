import assert from "node:assert/strict";
import { test } from "node:test";
import { isOtherModel, recipeOf } from "../../web/lib/picture-recipe.js";
import { formatProblem, sizeProblem } from "../../web/lib/start-check.js";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const letters = (text) => [...text].map((one) => one.charCodeAt(0));
const number = (value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
const chunk = (kind, data) => [...number(data.length), ...letters(kind), ...data, 0, 0, 0, 0];
const png = (...chunks) => new Uint8Array([...SIGNATURE, ...chunks.flat()]);
const fileOf = (bytes) => new File([bytes], "a.png");
const escaped = (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
const ascii = (value) => JSON.stringify(value).replace(/[\u0080-\uffff]/g, escaped);
const recipe = (value) => fileOf(png(chunk("tEXt", letters(`easel\0${ascii(value)}`))));

test("a file's format is what its first bytes say", () => {
  assert.equal(formatProblem(png(chunk("IHDR", Array(13).fill(0)))), null);
  assert.equal(formatProblem(new Uint8Array([0xff, 0xd8, 0xff, 0xe0])), null);
  assert.equal(formatProblem(new Uint8Array(letters("GIF89a"))), "type");
  assert.equal(formatProblem(new Uint8Array(letters("\0\0\0\x18ftypheic"))), "type");
  assert.equal(formatProblem(new Uint8Array(letters("RIFF\0\0\0\0WAVEfmt "))), "type");
  assert.equal(formatProblem(new Uint8Array()), "type");
});

test("an animation is one of more than one picture, announced before the pixels", () => {
  const frames = (count) => chunk("acTL", [...number(count), 0, 0, 0, 0]);
  assert.equal(formatProblem(png(frames(2))), "animated");
  assert.equal(formatProblem(png(frames(1))), null);
  assert.equal(formatProblem(png(chunk("IDAT", [1]), frames(2))), null);
  assert.equal(formatProblem(png(frames(2)).subarray(0, 20)), null);
  const webp = (flags) => new Uint8Array([...letters("RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0"), flags]);
  assert.equal(formatProblem(webp(2)), "animated");
  assert.equal(formatProblem(webp(4)), null);
});

test("a start picture has 8 pixels a side, once it is scaled down to 2048", () => {
  const cases = [
    [1, 1, "small"],
    [4000, 6, "small"],
    [4000, 15, "small"],
    [4096, 16, null],
    [8, 2048, null],
    [8, 2049, "small"],
    [8192, 6144, null],
    [8193, 6144, "pixels"],
    [16384, 64, null],
    [16385, 65, "pixels"],
  ];
  for (const [width, height, problem] of cases) assert.equal(sizeProblem({ width, height }), problem);
  assert.equal(sizeProblem({ width: 4096, height: 3072 }, true), null);
  assert.equal(sizeProblem({ width: 4097, height: 3072 }, true), "pixels");
});

test("a recipe fills in only settings of the right type", async () => {
  const settings = { style: "ink", steps: 30, width: "512", quality: null, cpu: true, source_images: ["key"] };
  assert.deepEqual(await recipeOf(recipe({ prompt: "маяк", seed: 7, settings })), {
    prompt: "маяк",
    style: "ink",
    steps: 30,
    seed: 7,
  });
  assert.deepEqual(await recipeOf(recipe({ prompt: "a", seed: null, settings: {} })), { prompt: "a" });
  const description = { clip_max_len: 3, blip_max_len: "9", skip_clip: false, skip_list: ["artists", 1], other: 1 };
  assert.deepEqual(await recipeOf(recipe({ prompt: "a", settings: { describe: true, description } })), {
    prompt: "a",
    describe: true,
    description: { clip_max_len: 3, skip_clip: false, skip_list: ["artists"] },
  });
  assert.deepEqual(await recipeOf(recipe({ prompt: "a", settings: { description: null } })), { prompt: "a" });
});

test("a recipe says whether another model made the picture", async () => {
  const models = [{ name: "mini", revision: "1f" }];
  const made = async (values) => isOtherModel(await recipeOf(recipe({ prompt: "a", settings: {}, ...values })), models);
  assert.equal(await made({ model: "mini", model_revision: "1f" }), false);
  assert.equal(await made({ model: "mini", model_revision: "2f" }), true);
  assert.equal(await made({ model: "mini", model_revision: null }), true);
  assert.equal(await made({ model: "large", model_revision: "1f" }), true);
  for (const model of [null, 5, undefined]) assert.equal(await made({ model }), false);
  assert.equal(isOtherModel({ made_with: { model: "mini", revision: "1f" } }, undefined), true);
});

test("other files have no recipe", async () => {
  for (const value of [null, [1], {}, { prompt: 1, settings: {} }, { prompt: "a" }, { prompt: "a", settings: null }])
    assert.equal(await recipeOf(recipe(value)), null);
  const text = chunk("tEXt", letters("easel\0{"));
  for (const bytes of [png(), png(text), png(chunk("IDAT", []), text), new Uint8Array(letters("GIF89a"))])
    assert.equal(await recipeOf(fileOf(bytes)), null);
  assert.equal(await recipeOf(fileOf(png(number(2 ** 32 - 1), letters("tEXt")))), null);
});
