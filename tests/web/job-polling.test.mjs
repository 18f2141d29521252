import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../web/lib/api-error.js";
import { JobPolling } from "../../web/lib/job-polling.js";
import { isOlder } from "../../web/lib/job-state.js";

const lost = new ApiError({ status: 0, code: "network" });
const job = (state, progress = null, entries = 1) => ({ state, progress, timeline: Array(entries).fill({}) });
const fresh = (etag, data) => ({ status: 200, etag, data, retryAfterMs: 1000 });
const same = (etag) => ({ status: 304, etag, data: null, retryAfterMs: null });

/**
 * Watches against prepared answers (an error is thrown, a function is called for its answer) and tells everything that
 * happened. `heldMs` is how long each answer took; `isHidden` is asked with the time.
 */
async function run(answers, { heldMs = 5_000, isHidden = () => false, onPause = () => {} } = {}) {
  const seen = { asked: [], jobs: [], lost: [], pauses: [], answers: [] };
  let clock = 0;
  const polling = new JobPolling({
    ask: async (etag, waitS, signal) => {
      seen.asked.push([etag, waitS, clock]);
      clock += heldMs;
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return typeof answer === "function" ? answer(signal) : answer;
    },
    onJob: (data) => seen.jobs.push(data.state),
    onLost: (isLost) => seen.lost.push(isLost),
    onAnswer: ({ etag }) => seen.answers.push(etag),
    isHidden: () => isHidden(clock),
    pause: async (ms, signal) => {
      seen.pauses.push(ms);
      await onPause({ polling, signal, clock });
      clock += ms;
    },
    now: () => clock,
  });
  return { seen, end: await polling.run().catch((error) => error) };
}

test("a job is polled to its end, first immediately, then with held answers", async () => {
  const { seen, end } = await run([
    fresh("1", job("queued")),
    fresh("2", job("generating", 0.5)),
    fresh("3", job("succeeded", 1)),
  ]);
  assert.equal(end.state, "succeeded");
  assert.deepEqual(seen.jobs, ["queued", "generating", "succeeded"]);
  assert.deepEqual(
    seen.asked.map(([etag, waitS]) => [etag, waitS]),
    [
      [null, null],
      ["1", 20],
      ["2", 20],
    ],
  );
  assert.deepEqual(seen.answers, ["1", "2", "3"], "every answer is told to the other tabs");
});

test("a job that did not change is not shown again", async () => {
  const { seen } = await run([
    fresh("1", job("queued")),
    same("1"),
    fresh("1", job("queued")),
    fresh("2", job("failed")),
  ]);
  assert.deepEqual(seen.jobs, ["queued", "failed"]);
});

test("a server that does not hold its answers is polled slowly", async () => {
  const { seen } = await run(
    [fresh("1", job("queued")), fresh("1", job("queued")), same("1"), fresh("2", job("cancelled"))],
    { heldMs: 5 },
  );
  assert.deepEqual(seen.pauses, [300, 1000, 2000]);
});

test("while nothing changes, less than one request goes out in ten seconds", async () => {
  const quiet = [fresh("1", job("queued")), ...Array(30).fill(same("1")), fresh("2", job("failed"))];
  const { seen } = await run(quiet, { heldMs: 20_000 });
  const [[, , first], [, , last]] = [seen.asked.at(1), seen.asked.at(-1)];
  assert.ok((last - first) / (seen.asked.length - 2) > 10_000);
});

test("a lost connection is reported once, retried with growing delays, and reported when it is back", async () => {
  const { seen, end } = await run([fresh("1", job("queued")), ...Array(7).fill(lost), fresh("2", job("succeeded"))]);
  assert.equal(end.state, "succeeded");
  assert.deepEqual(seen.lost, [true, false]);
  assert.deepEqual(seen.pauses.slice(1), [1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.deepEqual(seen.asked.at(-1).slice(0, 2), ["1", 20]);
});

test("a server error counts as a lost connection", async () => {
  const broken = new ApiError({ status: 502, code: "http_502" });
  const { seen } = await run([fresh("1", job("queued")), broken, fresh("2", job("succeeded"))]);
  assert.deepEqual(seen.lost, [true, false]);
});

test("Retry-After of a busy server is respected", async () => {
  const busy = new ApiError({ status: 503, code: "unavailable", retryAfterMs: 30_000 });
  const { seen } = await run([busy, fresh("1", job("succeeded"))]);
  assert.deepEqual(seen.pauses, [30_000]);
});

test("an error that a retry cannot fix ends the polling: job deleted, session expired", async () => {
  for (const [status, code] of [
    [404, "not_found"],
    [401, "not_signed_in"],
  ]) {
    const gone = new ApiError({ status, code });
    const { seen, end } = await run([fresh("1", job("queued")), gone]);
    assert.equal(end, gone);
    assert.deepEqual(seen.lost, []);
  }
});

test("leaving the view ends the polling during a pause", async () => {
  const leaving = new DOMException("left", "AbortError");
  const { seen, end } = await run([fresh("1", job("queued"))], { onPause: () => Promise.reject(leaving) });
  assert.equal(end, leaving);
  assert.equal(seen.asked.length, 1);
});

test("a hidden page polls every 15 seconds, without held answers", async () => {
  const answers = [fresh("1", job("queued")), same("1"), same("1"), fresh("2", job("succeeded"))];
  const { seen } = await run(answers, { heldMs: 10, isHidden: () => true });
  assert.deepEqual(
    seen.asked.map(([etag, waitS]) => [etag, waitS]),
    [
      [null, null],
      ["1", null],
      ["1", null],
      ["1", null],
    ],
  );
  const times = seen.asked.map(([, , at]) => at);
  for (const [index, at] of times.entries()) assert.ok(index === 0 || at - times[index - 1] >= 15_000, String(times));
});

test("a page polls immediately when it becomes visible", async () => {
  let isHidden = true;
  const answers = [fresh("1", job("queued")), fresh("2", job("succeeded"))];
  const onPause = ({ clock }) => {
    if (clock > 0) isHidden = false;
  };
  const { seen } = await run(answers, { heldMs: 10, isHidden: () => isHidden, onPause });
  assert.deepEqual(seen.asked[1].slice(0, 2), ["1", 20]);
});

test("answers to another tab are shown here and save requests", async () => {
  let heard = 0;
  const onPause = ({ polling }) => {
    heard += 1;
    if (heard === 3) polling.receive({ etag: "2", job: job("generating", 0.4, 2) });
    else if (heard === 6) polling.receive({ etag: "3", job: job("succeeded", 1, 3) });
    else polling.receive({ etag: "1", job: null });
  };
  const { seen, end } = await run([fresh("1", job("queued"))], { heldMs: 10, isHidden: () => true, onPause });
  assert.deepEqual(seen.jobs, ["queued", "generating", "succeeded"]);
  assert.equal(seen.asked.length, 1);
  assert.equal(end.state, "succeeded");
});

test("an end reported by another tab aborts the running request", async () => {
  let polling;
  const held = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      polling.receive({ etag: null, job: job("cancelled", null, 2) });
    });
  const onPause = (given) => {
    polling = given.polling;
  };
  const { seen, end } = await run([fresh("1", job("queued")), held], { onPause });
  assert.equal(end.state, "cancelled");
  assert.deepEqual(seen.jobs, ["queued", "cancelled"]);
});

test("an end reported while the connection is lost removes the notice", async () => {
  const onPause = ({ polling }) => polling.receive({ etag: "2", job: job("succeeded", 1, 2) });
  const { seen, end } = await run([lost], { onPause });
  assert.equal(end.state, "succeeded");
  assert.deepEqual(seen.lost, [true, false]);
});

test("an outdated answer is not shown", async () => {
  const done = job("cancelled", null, 3);
  assert.equal(isOlder(job("generating", 0.5, 9), done), true);
  assert.equal(isOlder(job("generating", 0.4, 3), job("generating", 0.5, 3)), true);
  assert.equal(isOlder(job("queued", 0.4, 2), job("generating", 0.4, 3)), true);
  assert.equal(isOlder(job("generating", 0.5, 3), job("generating", 0.5, 3)), false);
  assert.equal(isOlder(job("queued", null, 4), job("generating", 0.5, 3)), false);
  assert.equal(isOlder(done, null), false);
});
