import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../web/lib/api-error.js";
import { readDraft, saveDraft } from "../../web/lib/draft.js";
import { asSentence, errorText } from "../../web/lib/error-text.js";
import { loadWords } from "../../web/lib/i18n.js";
import { SubmissionKeys } from "../../web/lib/idempotent-submit.js";
import { pause } from "../../web/lib/pause.js";
import { fieldOf, ratioOf } from "../../web/lib/presets.js";
import { remakeOf, variationOf } from "../../web/lib/remake.js";
import { matchRoute, safeNext } from "../../web/lib/routes.js";
import { spanInWords } from "../../web/lib/time.js";
import { counter } from "./counter.mjs";
import { memory } from "./memory-storage.mjs";

await loadWords("en");

test("the same submission keeps its key until it is settled, also after a reload", () => {
  const storage = memory();
  const newKey = counter("key-");
  const first = new SubmissionKeys(storage, newKey);
  assert.equal(first.keyFor({ prompt: "a" }), "key-1");
  assert.equal(first.keyFor({ prompt: "a" }), "key-1");
  assert.equal(new SubmissionKeys(storage, newKey).keyFor({ prompt: "a" }), "key-1");
  first.settle({ prompt: "a" });
  assert.equal(first.keyFor({ prompt: "a" }), "key-2");
});

test("another submission gets another key", () => {
  const submission = new SubmissionKeys(memory(), counter("key-"));
  assert.notEqual(submission.keyFor({ prompt: "a" }), submission.keyFor({ prompt: "b" }));
});

test("unreadable storage is treated as empty", () => {
  const storage = memory({ "easel.submission": "{", "easel.draft": "{" });
  assert.equal(new SubmissionKeys(storage, counter("key-")).keyFor({}), "key-1");
  assert.deepEqual(readDraft(storage), {});
  saveDraft({ prompt: "a" }, storage);
  assert.deepEqual(readDraft(storage), { prompt: "a" });
});

test("a job is repeated from its settings, with its seed or another", () => {
  const job = { prompt: "a", settings: { prompt: "a", n: 2, seed: 7, source_images: ["k"] }, images: [] };
  assert.deepEqual(remakeOf(job), { prompt: "a", n: 2, seed: 7, source_images: ["k"] });
  assert.deepEqual(variationOf(job), { prompt: "a", n: 2, source_images: ["k"] });
});

const ROUTES = [{ pattern: "/" }, { pattern: "/pictures" }, { pattern: "/pictures/:id" }];

test("a path finds its view", () => {
  assert.deepEqual(matchRoute(ROUTES, "/"), { route: ROUTES[0], params: {} });
  assert.deepEqual(matchRoute(ROUTES, "/pictures/"), { route: ROUTES[1], params: {} });
  assert.deepEqual(matchRoute(ROUTES, "/pictures/a%20b"), { route: ROUTES[2], params: { id: "a b" } });
  assert.deepEqual(matchRoute(ROUTES, "/pictures/%E0"), { route: ROUTES[2], params: { id: "%E0" } });
  assert.equal(matchRoute(ROUTES, "/nowhere"), null);
});

test("the redirect after login never leads off the site", () => {
  const origin = "https://easel.example.com";
  assert.equal(safeNext("/pictures/1?a=b", origin), "/pictures/1?a=b");
  for (const hostile of [
    "//evil.example.com",
    "/\\evil.example.com",
    "https://evil.example.com",
    "javascript:alert(1)",
    "",
    null,
  ]) {
    assert.equal(safeNext(hostile, origin, "/create"), "/create", String(hostile));
  }
});

test("a field that the API does not name has no range", () => {
  const presets = { fields: [{ name: "n", maximum: 8 }] };
  assert.equal(fieldOf(presets, "n").maximum, 8);
  assert.deepEqual(fieldOf(presets, "seed"), {});
});

test("a picture of unknown size is treated as square", () => {
  assert.equal(ratioOf({ width: 768, height: 432 }), 768 / 432);
  assert.equal(ratioOf({}), 1);
  assert.equal(ratioOf(undefined), 1);
});

test("a wait is shown in a fitting unit", () => {
  const wanted = [
    [0, "1 second"],
    [40, "40 seconds"],
    [140, "2 minutes"],
    [3 * 3600, "3 hours"],
  ];
  for (const [seconds, words] of wanted) assert.equal(spanInWords(seconds), words);
});

test("an error is shown in the site's words, else in the API's", () => {
  const words = (problem) => errorText(new ApiError(problem));
  assert.match(words({ status: 401, code: "bad_credentials" }), /Wrong email or password/);
  assert.match(words({ status: 422, code: "invalid", fields: { seed: "no" } }), /marked fields/);
  assert.match(words({ status: 429, code: "rate", retryAfterMs: 5000 }), /5 seconds/);
  assert.match(words({ status: 500, code: "internal", message: "id 1" }), /our side/);
  assert.equal(words({ status: 409, code: "odd", message: "Not now." }), "Not now.");
});

test("a message of the API is shown as a sentence", () => {
  assert.equal(asSentence("is too long"), "Is too long.");
  assert.equal(asSentence("Already one."), "Already one.");
});

test("a bug of the site is not shown as an API error", () => {
  assert.throws(() => errorText(new TypeError("bug")), TypeError);
});

test("a pause ends early when it is woken, and fails when the view is left", async () => {
  const wake = new EventTarget();
  const woken = pause(60_000, { wake, events: ["online"] });
  wake.dispatchEvent(new Event("online"));
  await woken;
  const leaving = new AbortController();
  const left = pause(60_000, { signal: leaving.signal });
  leaving.abort();
  await assert.rejects(left, { name: "AbortError" });
});
