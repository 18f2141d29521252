import assert from "node:assert/strict";
import { test } from "node:test";

import { readDraft, readSceneDraft, saveDraft, saveSceneDraft } from "../../web/lib/draft.js";
import { checkCodes, codesOf, likenessOf, readCodes, showCodes } from "../../web/lib/likeness-codes.js";
import { memory } from "./memory-storage.mjs";

const USES = [
  { code: "12345678", weight: 1 },
  { code: "87654321", weight: 0.5 },
];

test("codes are read as they are typed or pasted", () => {
  assert.deepEqual(readCodes(""), []);
  assert.deepEqual(readCodes(" 1234 5678 "), ["12345678"]);
  assert.deepEqual(readCodes("12345678, 8765 4321;12345678"), ["12345678", "87654321"]);
  assert.deepEqual(readCodes("12345678 876"), ["12345678", "876"]);
  assert.deepEqual(readCodes(showCodes(codesOf(USES))), ["12345678", "87654321"]);
});

test("codes keep the weights that they came with", () => {
  assert.equal(likenessOf([]), null);
  assert.equal(likenessOf(["12345678"]), "12345678");
  assert.deepEqual(likenessOf(["12345678", "87654321"]), ["12345678", "87654321"]);
  assert.deepEqual(likenessOf(["87654321", "11111111"], USES), [USES[1], { code: "11111111" }]);
  assert.equal(likenessOf(["11111111"], USES), "11111111");
});

test("anything else in a draft is no code", () => {
  for (const given of [null, undefined, "", 7, [null, 7, {}, { code: 7 }]]) assert.deepEqual(codesOf(given), []);
});

test("at most three codes of eight digits are sent", () => {
  assert.equal(checkCodes(["00000001", "00000002", "00000003"]), null);
  assert.deepEqual(checkCodes(["0000000x"]), { code: "no_code", limit: null });
});

test("codes are never stored, and are there until the draft is replaced", () => {
  const stored = new Map();
  const storage = {
    ...memory(),
    setItem: (name, value) => stored.set(name, value),
    getItem: (name) => stored.get(name),
  };
  saveDraft({ prompt: "a", likeness: "12345678", likeness_weight: 0.5 }, storage);
  saveSceneDraft({ place: "park", likeness: USES }, storage);
  assert.equal(
    [...stored.values()].some((text) => /12345678|likeness"/.test(text)),
    false,
  );
  assert.deepEqual(readDraft(storage), { prompt: "a", likeness_weight: 0.5, likeness: "12345678" });
  assert.deepEqual(readSceneDraft(storage), { place: "park", likeness: USES });
  saveDraft({ prompt: "b" }, storage);
  assert.deepEqual(readDraft(storage), { prompt: "b" });
});

test("a code that an earlier version stored is not used", () => {
  const storage = memory({ "easel.draft": JSON.stringify({ prompt: "a", likeness: "12345678" }) });
  assert.deepEqual(readDraft(storage), { prompt: "a" });
});
