import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../web/lib/problem.js";
import { watch } from "../../web/lib/watch.js";

const lost = new ApiError({ status: 0, code: "network" });
const job = (state, progress = null) => ({ state, progress });
const fresh = (etag, data) => ({ status: 200, etag, data, retryAfterMs: 1000 });
const same = (etag) => ({ status: 304, etag, data: null, retryAfterMs: null });

/** Watches against prepared answers (an error is thrown) and tells everything that happened. `heldMs` is how long each took. */
async function run(answers, { heldMs = 5_000, ready = async () => {} } = {}) {
  const seen = { asked: [], jobs: [], lost: [], pauses: [] };
  let clock = 0;
  const ask = async (etag, waitS) => {
    seen.asked.push([etag, waitS]);
    clock += heldMs;
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const end = watch({
    ask,
    onJob: (data) => seen.jobs.push(data.state),
    onLost: (isLost) => seen.lost.push(isLost),
    ready,
    pause: async (ms) => void seen.pauses.push(ms),
    now: () => clock,
  });
  return { seen, end: await end.catch((error) => error) };
}

test("a job is followed to its end, with a first look at once and held answers after it", async () => {
  const { seen, end } = await run([fresh("1", job("queued")), fresh("2", job("generating", 0.5)), fresh("3", job("succeeded", 1))]);
  assert.equal(end.state, "succeeded");
  assert.deepEqual(seen.jobs, ["queued", "generating", "succeeded"]);
  assert.deepEqual(seen.asked, [[null, null], ["1", 20], ["2", 20]]);
});

test("a job that did not change is not shown again", async () => {
  const { seen } = await run([fresh("1", job("queued")), same("1"), fresh("1", job("queued")), fresh("2", job("failed"))]);
  assert.deepEqual(seen.jobs, ["queued", "failed"]);
});

test("a server that does not hold its answers is not hammered", async () => {
  const { seen } = await run([fresh("1", job("queued")), fresh("1", job("queued")), same("1"), fresh("2", job("cancelled"))], { heldMs: 5 });
  assert.deepEqual(seen.pauses, [300, 1000, 2000]);
});

test("a lost connection is told once, tried again at growing distances, and told when it is back", async () => {
  const { seen, end } = await run([fresh("1", job("queued")), ...Array(7).fill(lost), fresh("2", job("succeeded"))]);
  assert.equal(end.state, "succeeded");
  assert.deepEqual(seen.lost, [true, false]);
  assert.deepEqual(seen.pauses.slice(1), [1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.deepEqual(seen.asked.at(-1), ["1", 20]);
});

test("a busy server is left alone for as long as it says", async () => {
  const busy = new ApiError({ status: 503, code: "unavailable", retryAfterMs: 30_000 });
  const { seen } = await run([busy, fresh("1", job("succeeded"))]);
  assert.deepEqual(seen.pauses, [30_000]);
});

test("an error that no repetition heals ends the watch", async () => {
  const gone = new ApiError({ status: 404, code: "not_found" });
  const { seen, end } = await run([fresh("1", job("queued")), gone]);
  assert.equal(end, gone);
  assert.deepEqual(seen.lost, []);
});

test("nothing is asked before the page can be seen, and leaving ends the watch", async () => {
  const leaving = new DOMException("left", "AbortError");
  const { seen, end } = await run([fresh("1", job("queued"))], { ready: () => Promise.reject(leaving) });
  assert.equal(end, leaving);
  assert.deepEqual(seen.asked, []);
});
