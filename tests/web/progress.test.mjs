import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection, holdWhileLost } from "../../web/lib/connection.js";
import { Estimate } from "../../web/lib/estimate.js";
import { loadWords } from "../../web/lib/i18n.js";
import { holdUpOf, percentOf, phaseOf, stateOf } from "../../web/lib/job-state.js";
import { progressIconUrl } from "../../web/lib/progress-icon.js";
import { placeInWords } from "../../web/lib/queue-place.js";
import { clockTime, secondsBetween, timeAgo } from "../../web/lib/time.js";
import { truncate } from "../../web/lib/truncate.js";

await loadWords("en");

const happened = (...events) => events.map((event) => ({ event, code: null, detail: null }));

test("an estimate is counted down between the answers, to a moment and then late", () => {
  const estimate = new Estimate();
  assert.deepEqual(estimate.left(0), { kind: "unknown" });
  estimate.set(40, 100);
  assert.deepEqual(estimate.left(100), { kind: "span", seconds: 40 });
  assert.deepEqual(estimate.left(112), { kind: "span", seconds: 30 });
  assert.deepEqual(estimate.left(125), { kind: "span", seconds: 15 });
  assert.deepEqual(estimate.left(138), { kind: "moment" });
  assert.deepEqual(estimate.left(145), { kind: "moment" });
  assert.deepEqual(estimate.left(161), { kind: "late" });
});

test("a place far back is rounded, and said to be an estimate", () => {
  const queued = { state: "queued", queue_position: 12345, position_is_estimate: true };
  assert.equal(placeInWords(queued), "Place in the queue: about 12,300");
  assert.equal(placeInWords(queued, { inShort: true }), "Place: about 12,300");
  assert.equal(placeInWords({ ...queued, queue_position: 345, position_is_estimate: false }), "Place 345 in the queue");
  assert.equal(placeInWords({ ...queued, queue_position: 1, position_is_estimate: false }), "Next in the queue");
  assert.equal(placeInWords({ ...queued, queue_position: null }), null);
  assert.equal(placeInWords({ ...queued, state: "generating" }), null);
});

test("the countdown ignores small increases and follows large ones", () => {
  const estimate = new Estimate();
  estimate.set(40, 0);
  estimate.set(33, 10);
  assert.equal(estimate.left(10).seconds, 30);
  estimate.set(90, 20);
  assert.equal(estimate.left(20).seconds, 90);
  estimate.set(10, 30);
  assert.equal(estimate.left(30).seconds, 10);
  estimate.set(null, 31);
  assert.equal(estimate.left(31).kind, "unknown");
});

test("the phases follow the timeline and the progress", () => {
  const at = (progress, ...events) => phaseOf({ state: "generating", progress, timeline: happened(...events) });
  assert.equal(phaseOf({ state: "queued", progress: null, timeline: happened("accepted") }), null);
  assert.equal(at(null, "accepted", "started"), "sent");
  assert.equal(at(null, "accepted", "started", "sent"), "sent");
  assert.equal(at(0, "accepted", "started", "sent", "processing"), "preparing");
  assert.equal(at(null, "started", "processing", "retrying", "started", "sent"), "sent", "each attempt begins anew");
  const work = ["accepted", "started", "sent", "processing"];
  assert.deepEqual(
    [0.1, 0.5, 0.8, 0.99].map((progress) => at(progress, ...work)),
    ["first", "shaping", "finishing", "hanging"],
  );
});

test("a job with a requested cancellation is stopping until it ends", () => {
  const timeline = happened("accepted", "started", "cancel_requested");
  assert.equal(stateOf({ state: "generating", timeline }), "stopping");
  assert.equal(stateOf({ state: "cancelled", timeline }), "cancelled");
  assert.equal(stateOf({ state: "generating", timeline: happened("accepted", "started") }), "generating");
});

test("the reason for a delay is the last one, until the job continues", () => {
  const reason = { event: "waiting", code: "no_generator", detail: "No generator is configured." };
  const of = (state, ...timeline) => holdUpOf({ state, timeline });
  assert.equal(of("queued", ...happened("accepted"), reason), reason);
  assert.equal(of("generating", ...happened("accepted"), reason, ...happened("started")), null);
  assert.equal(of("failed", reason), null);
  assert.equal(of("queued", ...happened("accepted", "retrying")), null, "without a reason there is nothing to tell");
});

test("only a succeeded job has a hundred percent", () => {
  assert.equal(percentOf({ state: "generating", progress: 0.999 }), 99);
  assert.equal(percentOf({ state: "generating", progress: 0.374 }), 37);
  assert.equal(percentOf({ state: "queued", progress: null }), null);
  assert.equal(percentOf({ state: "succeeded", progress: 1 }), 100);
});

test("a long prompt is cut at a word, never inside a character", () => {
  assert.equal(truncate("a fox", 40), "a fox");
  assert.equal(truncate("  a \n fox ", 40), "a fox");
  assert.equal(truncate("a lighthouse on a cliff at night in a storm", 40), "a lighthouse on a cliff at night in a…");
  assert.equal(truncate("🦊".repeat(50), 40), `${"🦊".repeat(39)}…`);
});

test("the tab's icon shows the states by shapes and the progress by a ring", () => {
  const colours = { paper: "#fff", line: "#ccc", accent: "#00f", good: "#0a0", bad: "#a00" };
  const draw = (state, percent = null) => decodeURIComponent(progressIconUrl({ state, percent }, colours));
  const drawn = ["succeeded", "failed", "cancelled"].map((state) => draw(state));
  assert.equal(new Set(drawn.map((svg) => / d="([^"]+)"/.exec(svg)[1])).size, 3);
  assert.match(draw("generating", 50), /stroke-dasharray="37\.7 75\.4"/);
  assert.equal(draw("queued"), draw("generating", 0));
});

test("times are relative to now, with the date on another day", () => {
  const at = Date.parse("2026-03-01T12:00:00Z");
  assert.equal(timeAgo("2026-03-01T11:58:00Z", at), "2 minutes ago");
  assert.equal(timeAgo("2026-03-01T12:00:09Z", at), "now");
  assert.equal(timeAgo("2026-02-26T12:00:00Z", at), "3 days ago");
  const now = new Date(2026, 2, 1, 12);
  assert.equal(clockTime(new Date(2026, 2, 1, 9, 5, 7).toISOString(), now), "09:05:07");
  assert.match(clockTime(new Date(2026, 1, 27, 9, 5).toISOString(), now), /27 Feb.*09:05/);
  assert.equal(secondsBetween("2026-03-01T12:00:00Z", "2026-03-01T12:00:05Z"), 5);
  assert.equal(secondsBetween(null, "2026-03-01T12:00:05Z"), null);
});

test("the connection is lost from a request without an answer until the next answer", () => {
  const connection = new Connection();
  const heard = [];
  connection.addEventListener("change", () => heard.push(connection.isLost));
  connection.requestFailed();
  connection.requestFailed();
  assert.equal(connection.needsProbe, true);
  connection.requestAnswered();
  connection.requestAnswered();
  assert.deepEqual(heard, [true, false]);
});

test("a poller holds the connection, and no probe is needed", () => {
  const connection = new Connection();
  const heard = [];
  connection.addEventListener("change", () => heard.push(connection.isLost));
  const [first, second] = [connection.hold(), connection.hold()];
  connection.requestFailed();
  assert.equal(connection.needsProbe, false);
  connection.requestAnswered();
  first();
  first();
  assert.equal(connection.isLost, true);
  second();
  assert.deepEqual(heard, [true, false]);
});

test("leaving a view releases its hold", () => {
  const connection = new Connection();
  const leaving = new AbortController();
  const tell = holdWhileLost(leaving.signal, connection);
  tell(true);
  assert.equal(connection.isLost, true);
  leaving.abort();
  assert.equal(connection.isLost, false);
  tell(true);
  assert.equal(connection.isLost, false);
});
