import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ApiError } from "../../web/lib/api-error.js";
import { checkAsTheyCome, refusedPhotos } from "../../web/lib/photo-checks.js";
import { StartPictures } from "../../web/lib/start-pictures.js";
import { memory } from "./memory-storage.mjs";

let photos;
let subject;
let asked;

beforeEach(() => {
  photos = new StartPictures({
    upload: async (file) => file.name,
    preview: async () => "data:,",
    mayUpload: () => true,
    storage: memory(),
  });
  subject = "person";
  asked = [];
});

const states = () => photos.items.map(({ state }) => state);
const refusal = (codes) => new ApiError({ status: 422, code: "invalid_request", codes });
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Start the checks; each is kept in `asked` until the test answers it. */
function start(signal = new AbortController().signal) {
  const check = (body) =>
    new Promise((resolve, reject) => {
      asked.push({ ...body, answer: (error) => (error ? reject(error) : resolve()) });
    });
  checkAsTheyCome(photos, { check, subject: () => subject, signal });
}

async function add(...names) {
  for (const name of names) await photos.add(new File(["x"], name, { type: "image/png" }));
  await turn();
}

async function answer(error) {
  asked.at(-1).answer(error);
  await turn();
}

test("photos that come while others are looked at are looked at together with them", async () => {
  start();
  await add("a", "b", "c");
  assert.deepEqual(
    asked.map((body) => body.photos),
    [["a"]],
  );
  await answer();
  assert.deepEqual(
    asked.map((body) => body.photos),
    [["a"], ["a", "b", "c"]],
  );
  assert.deepEqual(states(), ["good", "ready", "ready"]);
  await answer(refusal({ "photos.2": ["photo_blurred", "photo_too_small"] }));
  assert.deepEqual(states(), ["good", "good", "refused"]);
  assert.deepEqual(photos.items[2].error.codes, ["photo_blurred", "photo_too_small"]);
  assert.equal(asked.length, 2);
});

test("only the removal of what a photo repeats is a reason to look again", async () => {
  start();
  await add("a", "b");
  await answer();
  await answer(refusal({ "photos.1": ["photo_repeated"] }));
  photos.remove(photos.items[0].id);
  await turn();
  assert.deepEqual(asked.at(-1).photos, ["b"]);
  await answer();
  await add("c");
  await answer(refusal({ "photos.1": ["photo_blurred"] }));
  photos.remove(photos.items[0].id);
  await turn();
  assert.deepEqual([asked.length, states()], [4, ["refused"]]);
});

test("another subject is another judgement", async () => {
  start();
  await add("a");
  subject = "animal";
  photos.unjudge();
  await answer(refusal({ "photos.0": ["photo_without_face"] }));
  assert.deepEqual(states(), ["ready"], "that was about a person");
  assert.equal(asked.at(-1).subject, "animal");
  await answer();
  assert.deepEqual(states(), ["good"]);
});

test("a check without a judgement is repeated with the next photo only", async () => {
  start();
  await add("a");
  await answer(new ApiError({ status: 503, code: "unavailable" }));
  assert.deepEqual([asked.length, states()], [1, ["ready"]]);
  await add("b");
  assert.deepEqual(asked.at(-1).photos, ["a", "b"]);
  await answer(refusal({ photos: ["not_offered"] }));
  assert.deepEqual([asked.length, states()], [2, ["ready", "ready"]]);
});

test("the next visit goes on with what is left", async () => {
  const visit = new AbortController();
  start(visit.signal);
  await add("a");
  await answer();
  await add("b");
  visit.abort();
  await answer();
  assert.deepEqual(states(), ["good", "ready"]);
  start();
  assert.deepEqual(states(), ["good", "ready"]);
  assert.deepEqual(asked.at(-1).photos, ["a", "b"]);
});

test("an error that names no photo judges none", () => {
  assert.equal(refusedPhotos(["a"], new ApiError({ status: 0, code: "network" })), null);
  assert.equal(refusedPhotos(["a"], new TypeError("a surprise")), null);
  assert.deepEqual(refusedPhotos(["a", "b"], refusal({ "photos.1": ["not_yours"], consent: ["required"] })), {
    b: ["not_yours"],
  });
});
