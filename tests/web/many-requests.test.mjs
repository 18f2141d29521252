import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_JOBS, matrixOf, requestsOf, tooMuchIn } from "../../web/lib/many-requests.js";

test("each line with words is a prompt", () => {
  assert.deepEqual(requestsOf("a fox, asleep\r\n\n  a boat \n"), [{ prompt: "a fox, asleep" }, { prompt: "a boat" }]);
});

test("a CSV names its columns in its first row", () => {
  const text = '\uFEFFPrompt,style,size,seed\r\n"a ""red"" fox,\nasleep",oil,512x768,7\r\na boat,,,\r\n';
  assert.deepEqual(requestsOf(text), [
    { prompt: 'a "red" fox,\nasleep', style: "oil", width: 512, height: 768, seed: 7 },
    { prompt: "a boat" },
  ]);
});

test("a comma after the first prompt does not make a CSV of lines", () => {
  assert.deepEqual(requestsOf("prompt, with words\na boat"), [{ prompt: "prompt, with words" }, { prompt: "a boat" }]);
});

test("what is no number or size is refused with its row", () => {
  for (const text of ["prompt,seed\na,1\nb,many", "prompt,size\na,2x2\nb,big"])
    assert.throws(() => requestsOf(text), { code: "wrong_type", row: 2 });
  assert.throws(() => requestsOf("prompt,seed\na,1,2"), { code: "invalid", row: 1 });
});

test("as many rows as a group has are taken, and no more", () => {
  const rows = Array(MOST_JOBS).fill("a boat").join("\n");
  assert.equal(requestsOf(rows).length, MOST_JOBS);
  assert.equal(requestsOf(`prompt\n${rows}`).length, MOST_JOBS);
  for (const text of [`${rows}\none more`, `prompt\n${rows}\none more`])
    assert.throws(() => requestsOf(text), { code: "too_many", limit: MOST_JOBS });
  assert.throws(() => requestsOf(`prompt,seed\n${"a boat,1\n".repeat(10_000)}`), { code: "too_many" });
  assert.throws(() => requestsOf("x".repeat(1_000_001)), { code: "too_long" });
  assert.throws(() => requestsOf(" \n"), { code: "required" });
});

test("only what cannot be corrected by typing on is too much", () => {
  assert.deepEqual({ ...tooMuchIn("a boat\n".repeat(10_000)) }, { code: "too_many", row: null, limit: MOST_JOBS });
  assert.equal(tooMuchIn("x".repeat(1_000_001)).code, "too_long");
  for (const text of ["", "a boat\n".repeat(MOST_JOBS), "prompt,seed\na boat,x"]) assert.equal(tooMuchIn(text), null);
});

test("a matrix is a prompt with its styles and seeds", () => {
  assert.deepEqual(matrixOf({ prompt: " a boat ", styles: ["oil", "ink"], seeds: "1, 2;3" }), {
    request: { prompt: "a boat" },
    variants: { style: ["oil", "ink"], seed: [1, 2, 3] },
  });
  const seeds = Array.from({ length: 101 }, (_, index) => index).join(" ");
  assert.throws(() => matrixOf({ prompt: "a boat", styles: ["oil", "ink"], seeds }), { code: "too_many" });
  assert.throws(() => matrixOf({ prompt: "a boat", styles: [], seeds: "one" }), { code: "wrong_type" });
  assert.throws(() => matrixOf({ prompt: " ", styles: [], seeds: "" }), { code: "required" });
});
