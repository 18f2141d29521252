import assert from "node:assert/strict";
import test from "node:test";

import { remakeOf, variationOf } from "../../web/lib/remake.js";

const settings = { quality: "draft", seed: 7, notify: "none", webhook_url: null };
const scene = {
  place: "park",
  place_picture: 1,
  action: "reading",
  shot: "CLS",
  age: "old",
  gender: "man",
  details: "",
};

test("a job is repeated with all its settings", () => {
  const job = { prompt: "a cat", settings: { ...settings, steps: 3 } };
  assert.deepEqual(remakeOf(job), { prompt: "a cat", ...settings, steps: 3 });
  assert.equal("seed" in variationOf(job), false);
});

test("a scene is repeated as what was asked for", () => {
  const own = { ...scene, action_prompt: "", background: "1", pose: "2", code: "22222222" };
  const job = { prompt: "an elderly man", settings: { ...settings, steps: 3, scene: own } };
  assert.deepEqual(remakeOf(job), { ...scene, ...settings });
  assert.equal("seed" in variationOf(job), false);
});

test("a scene is repeated with all its likenesses and their weights", () => {
  const likeness = [
    { code: "12345678", weight: 1 },
    { code: "87654321", weight: 0.5 },
  ];
  const job = { prompt: "x", settings: { ...settings, scene: { ...scene, action_prompt: "" }, likeness } };
  assert.deepEqual(remakeOf(job).likeness, likeness);
});

test("a scene whose action was described is described again", () => {
  const own = { ...scene, action_prompt: "reads aloud", background: "1", pose: "2", code: "22222222" };
  const { dynamic_action, action_prompt } = remakeOf({ prompt: "x", settings: { ...settings, scene: own } });
  assert.deepEqual([dynamic_action, action_prompt], [true, "reads aloud"]);
});
