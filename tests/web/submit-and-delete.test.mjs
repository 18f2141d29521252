import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../web/lib/api-error.js";
import { SubmissionKeys, submitOnce } from "../../web/lib/idempotent-submit.js";
import { PendingDeletions } from "../../web/lib/undo-delete.js";
import { counter } from "./counter.mjs";
import { memory } from "./memory-storage.mjs";

const jobs = (...ids) => ids.map((id) => ({ id }));

/** A deletion with a clock that the test advances: `clock.run()` ends the time for undo. */
function deletionsWith(send, sendGroup) {
  const clock = { task: null };
  clock.run = () => clock.task?.();
  const timer = {
    start: (task) => {
      clock.task = task;
      return 1;
    },
    stop: () => {
      clock.task = null;
    },
  };
  const deletions = new PendingDeletions({ send, sendGroup, delayMs: 8_000, timer });
  const heard = [];
  for (const type of ["deleted", "settled", "restored"]) {
    deletions.addEventListener(type, ({ detail }) =>
      heard.push([type, ...detail.jobs.map(({ id }) => id), ...(detail.error ? [detail.error.code] : [])]),
    );
  }
  return { deletions, clock, heard };
}

test("a group is deleted with one request, and restored whole if that is refused", async () => {
  const sent = [];
  const sendGroup = async (group, all) => {
    sent.push([group, ...all.map(({ id }) => id)]);
    if (sent.length > 1) throw new ApiError({ status: 409, code: "still_running" });
  };
  const { deletions, heard } = deletionsWith(() => assert.fail("its jobs are not deleted one by one"), sendGroup);
  deletions.add(jobs("a", "b"), { group: "g" });
  deletions.undo();
  assert.deepEqual(sent, []);
  deletions.add(jobs("a", "b"), { group: "g" });
  await deletions.flush();
  assert.deepEqual(sent, [["g", "a", "b"]]);
  assert.ok(deletions.has("a") && deletions.has("b"));
  deletions.add(jobs("c", "d"), { group: "h" });
  await deletions.flush();
  assert.deepEqual(heard.at(-1), ["restored", "c", "d", "still_running"]);
  assert.ok(!deletions.has("c"));
});

test("nothing is deleted before the delay is over, then all of it", async () => {
  const sent = [];
  const { deletions, clock, heard } = deletionsWith(async (id) => sent.push(id));
  deletions.add(jobs("a", "b"));
  assert.deepEqual(sent, []);
  assert.ok(deletions.has("a") && deletions.has("b") && !deletions.has("c"));
  await clock.run();
  assert.deepEqual(sent, ["a", "b"]);
  assert.deepEqual(heard, [
    ["deleted", "a", "b"],
    ["settled", "a", "b"],
  ]);
  assert.ok(deletions.has("a"), "an answer from before still holds it");
  await deletions.flush();
  assert.deepEqual(sent, ["a", "b"], "nothing is sent twice");
});

test("undo restores the jobs, and nothing is sent", async () => {
  const sent = [];
  const { deletions, clock, heard } = deletionsWith(async (id) => sent.push(id));
  deletions.add(jobs("a"));
  deletions.undo();
  assert.equal(clock.task, null);
  await deletions.flush();
  assert.deepEqual(sent, []);
  assert.deepEqual(heard.at(-1), ["restored", "a"]);
  assert.ok(!deletions.has("a"));
  deletions.undo();
  assert.equal(heard.length, 3, "there is nothing left to undo");
});

test("a new deletion sends the former one", () => {
  const sent = [];
  const { deletions } = deletionsWith(async (id) => sent.push(id));
  deletions.add(jobs("a"));
  deletions.add(jobs("b"));
  assert.deepEqual(sent, ["a"]);
});

test("the timer can be paused and restarts", () => {
  const { deletions, clock } = deletionsWith(async () => {});
  deletions.add(jobs("a"));
  deletions.pauseTimer();
  assert.equal(clock.task, null);
  deletions.resumeTimer();
  assert.ok(clock.task);
  deletions.undo();
  deletions.resumeTimer();
  assert.equal(clock.task, null, "nothing waits any more");
});

test("refused deletions are restored, the others stay deleted", async () => {
  const { deletions, clock, heard } = deletionsWith(async (id) => {
    if (id === "b") throw new ApiError({ status: 409, code: "still_running" });
  });
  deletions.add(jobs("a", "b", "c"));
  await clock.run();
  assert.deepEqual(heard.at(-1), ["restored", "b", "still_running"]);
  assert.deepEqual(
    ["a", "b", "c"].map((id) => deletions.has(id)),
    [true, false, true],
  );
});

test("leaving the page sends all deletions at once", () => {
  const sent = [];
  const { deletions } = deletionsWith((id, { isLast }) => new Promise(() => sent.push([id, isLast])));
  deletions.add(jobs(..."abcdefghij"));
  deletions.flush({ isLast: true });
  assert.deepEqual(
    sent,
    [..."abcdefghij"].map((id) => [id, true]),
  );
});

test("a button's clicks send one key until the server has definitely answered", async () => {
  const keys = [];
  const answers = [
    new ApiError({ status: 0, code: "network" }),
    new ApiError({ status: 503, code: "unavailable" }),
    { id: "made" },
    new ApiError({ status: 429, code: "queue_full" }),
    { id: "next" },
  ];
  const submit = async (_, key) => {
    keys.push(key);
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const keysOfPage = new SubmissionKeys(memory(), counter("key "));
  const click = () => submitOnce({}, { source: "vary a", submit, keys: keysOfPage });
  await assert.rejects(click());
  await assert.rejects(click());
  assert.deepEqual(await click(), { id: "made" });
  await assert.rejects(click());
  assert.deepEqual(await click(), { id: "next" });
  assert.deepEqual(keys, ["key 1", "key 1", "key 1", "key 2", "key 2"]);
});
