import assert from "node:assert/strict";
import { test } from "node:test";

import { clearDraft, readDraft, readSceneDraft, saveDraft, saveSceneDraft } from "../../web/lib/draft.js";
import { sceneBody, sceneValues } from "../../web/lib/scene-request.js";
import { memory } from "./memory-storage.mjs";

const catalogue = {
  places: [
    { key: "beach", pictures: [{ index: 0 }] },
    { key: "park", pictures: [{ index: 0 }, { index: 1 }] },
  ],
  actions: [{ key: "reading" }, { key: "running" }],
};

test("an empty draft gets a choice everywhere but at the gender", () => {
  const values = sceneValues({}, catalogue);
  assert.equal(values.place, "beach");
  assert.equal(values.action, "reading");
  assert.equal(values.shot, "MES");
  assert.equal(values.gender, null);
});

test("a draft keeps what the catalogue still has", () => {
  const kept = sceneValues({ place: "park", place_picture: 1, action: "running", gender: "woman" }, catalogue);
  assert.deepEqual([kept.place, kept.place_picture, kept.action, kept.gender], ["park", 1, "running", "woman"]);
  const gone = sceneValues({ place: "moon", place_picture: 1, action: "flying", shot: "?", gender: "cat" }, catalogue);
  assert.deepEqual([gone.place, gone.place_picture, gone.action, gone.gender], ["beach", 0, "reading", null]);
  assert.equal(sceneValues({ dynamic_action: true, action: "running" }, catalogue).action, null);
  const likeness = [
    { code: "12345678", weight: 1 },
    { code: "87654321", weight: 0.5 },
  ];
  assert.deepEqual(sceneValues({ likeness }, catalogue).likeness, likeness);
});

test("words are sent only where they choose the action", () => {
  const words = { place: "park", place_picture: 0, action_prompt: "reads", gender: null, details: "", seed: null };
  assert.deepEqual(sceneBody({ ...words, action: "running" }), { place: "park", place_picture: 0, action: "running" });
  assert.deepEqual(sceneBody({ ...words, action: null }), {
    place: "park",
    place_picture: 0,
    dynamic_action: true,
    action_prompt: "reads",
  });
});

test("the drafts of both forms are separate, and a logout deletes both", () => {
  const storage = memory();
  saveDraft({ prompt: "a fox" }, storage);
  saveSceneDraft({ place: "park" }, storage);
  assert.deepEqual([readDraft(storage), readSceneDraft(storage)], [{ prompt: "a fox" }, { place: "park" }]);
  saveSceneDraft({ place: "park", likeness: "12345678" }, storage);
  clearDraft(storage);
  assert.deepEqual([readDraft(storage), readSceneDraft(storage)], [{}, {}]);
});
