import assert from "node:assert/strict";
import { test } from "node:test";

import { Bin } from "../../web/lib/undo-delete.js";
import { submitOnce } from "../../web/lib/once.js";
import { ApiError } from "../../web/lib/api-error.js";

const jobs = (...ids) => ids.map((id) => ({ id }));

/** A bin with a clock that the test moves: `clock.run()` is the end of the time for second thoughts. */
function binWith(send) {
  const clock = { task: null };
  clock.run = () => clock.task?.();
  const timer = { start: (task) => (clock.task = task) && 1, stop: () => (clock.task = null) };
  const bin = new Bin({ send, delayMs: 8_000, timer });
  const heard = [];
  for (const type of ["away", "settled", "back"]) {
    bin.addEventListener(type, ({ detail }) => heard.push([type, ...detail.jobs.map(({ id }) => id), ...(detail.error ? [detail.error.code] : [])]));
  }
  return { bin, clock, heard };
}

test("nothing is deleted before the time is over, and all of it then", async () => {
  const sent = [];
  const { bin, clock, heard } = binWith(async (id) => sent.push(id));
  bin.put(jobs("a", "b"));
  assert.deepEqual(sent, []);
  assert.ok(bin.has("a") && bin.has("b") && !bin.has("c"));
  await clock.run();
  assert.deepEqual(sent, ["a", "b"]);
  assert.deepEqual(heard, [["away", "a", "b"], ["settled", "a", "b"]]);
  assert.ok(bin.has("a"), "an answer from before still holds it");
  await bin.flush();
  assert.deepEqual(sent, ["a", "b"], "nothing is sent twice");
});

test("undo brings them back and nothing is sent", async () => {
  const sent = [];
  const { bin, clock, heard } = binWith(async (id) => sent.push(id));
  bin.put(jobs("a"));
  bin.undo();
  assert.equal(clock.task, null);
  await bin.flush();
  assert.deepEqual(sent, []);
  assert.deepEqual(heard.at(-1), ["back", "a"]);
  assert.ok(!bin.has("a"));
  bin.undo();
  assert.equal(heard.length, 3, "there is nothing left to undo");
});

test("another deletion sends the one before", () => {
  const sent = [];
  const { bin } = binWith(async (id) => sent.push(id));
  bin.put(jobs("a"));
  bin.put(jobs("b"));
  assert.deepEqual(sent, ["a"]);
});

test("the clock stands while it is held, and starts anew", () => {
  const { bin, clock } = binWith(async () => {});
  bin.put(jobs("a"));
  bin.hold();
  assert.equal(clock.task, null);
  bin.resume();
  assert.ok(clock.task);
  bin.undo();
  bin.resume();
  assert.equal(clock.task, null, "nothing waits any more");
});

test("what the server refuses comes back, the rest stays away", async () => {
  const { bin, clock, heard } = binWith(async (id) => {
    if (id === "b") throw new ApiError({ status: 409, code: "still_running" });
  });
  bin.put(jobs("a", "b", "c"));
  await clock.run();
  assert.deepEqual(heard.at(-1), ["back", "b", "still_running"]);
  assert.deepEqual(["a", "b", "c"].map((id) => bin.has(id)), [true, false, true]);
});

test("a page that is left sends everything in that moment", () => {
  const sent = [];
  const { bin } = binWith((id, { isLast }) => new Promise(() => sent.push([id, isLast])));
  bin.put(jobs(..."abcdefghij"));
  bin.flush({ isLast: true });
  assert.deepEqual(sent, [..."abcdefghij"].map((id) => [id, true]));
});

test("a button's clicks carry one key until the server has answered for certain", async () => {
  const keys = [];
  let count = 0;
  const answers = [new ApiError({ status: 0, code: "network" }), new ApiError({ status: 503, code: "unavailable" }), { id: "made" }, new ApiError({ status: 429, code: "queue_full" }), { id: "next" }];
  const submit = async (body, key) => {
    keys.push(key);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const click = () => submitOnce("vary a", {}, { submit, newKey: () => `key ${(count += 1)}` });
  await assert.rejects(click());
  await assert.rejects(click());
  assert.deepEqual(await click(), { id: "made" });
  await assert.rejects(click());
  assert.deepEqual(await click(), { id: "next" });
  assert.deepEqual(keys, ["key 1", "key 1", "key 1", "key 2", "key 2"]);
});
