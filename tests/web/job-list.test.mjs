import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../web/lib/api-error.js";
import { filterPath, matchesFilter, readFilter } from "../../web/lib/job-filter.js";
import { JobList } from "../../web/lib/job-list.js";
import { pollList } from "../../web/lib/list-polling.js";
import { Selection } from "../../web/lib/selection.js";

const job = (id, more = {}) => ({
  id,
  state: "succeeded",
  progress: 1,
  queue_position: null,
  position_is_estimate: false,
  eta_seconds: null,
  public: false,
  images: [],
  ...more,
});
const listOf = (...jobs) => {
  const list = new JobList();
  for (const each of jobs) list.put(each);
  return list;
};
const idsOf = (jobs) => jobs.map(({ id }) => id).join("");

test("every job has one place, newest first, independent of the answer", () => {
  const list = listOf(job("b"), job("d"), job("a"));
  assert.equal(list.put(job("c")).id, "b");
  assert.equal(list.put(job("a", { state: "failed" })), null);
  assert.equal(idsOf(list.jobs), "dcba");
  assert.equal(list.find("a").state, "failed");
  list.remove("c");
  assert.equal(idsOf(list.jobs), "dba");
});

test("a new answer shows what is new, changed and gone", () => {
  const list = listOf(job("a"), job("b"), job("c", { state: "generating", progress: 0.2 }), job("d"));
  const answer = { jobs: [job("e"), job("d"), job("c", { state: "generating", progress: 0.6 })], next: "c" };
  const { changed, gone, hasGap } = list.compare(answer);
  assert.deepEqual([idsOf(changed), gone, hasGap], ["ec", [], false]);
  assert.deepEqual(
    list.compare({ jobs: [job("d"), job("b")], next: "b" }).gone,
    ["c"],
    "a is older than the answer reaches",
  );
  assert.deepEqual(list.compare({ jobs: [job("d")], next: null }).gone, ["c", "b", "a"], "the answer is all there is");
  assert.deepEqual(list.compare({ jobs: [], next: null }).gone, ["d", "c", "b", "a"]);
  assert.equal(list.compare({ jobs: [job("h"), job("g")], next: "g" }).hasGap, true);
  assert.deepEqual(list.compare({ jobs: [], next: "c" }).gone, ["d", "c"], "all of the page were trainings");
  assert.equal(new JobList().compare({ jobs: [job("h")], next: "h" }).hasGap, false);
});

test("a job that is being deleted does not come back with an older answer", () => {
  const list = new JobList({ isDeleted: (id) => id === "b" });
  assert.equal(idsOf(list.compare({ jobs: [job("b"), job("a")], next: null }).changed), "a");
});

test("new URLs of the same pictures are not a change", () => {
  const list = listOf(job("a", { images: [{ url: "one" }] }));
  assert.deepEqual(list.compare({ jobs: [job("a", { images: [{ url: "two" }] })], next: null }).changed, []);
  assert.equal(list.compare({ jobs: [job("a", { images: [{}], public: true })], next: null }).changed.length, 1);
});

test("polls cover all unfinished jobs, at an interval that fits their estimates", () => {
  const done = Array.from({ length: 200 }, (_, index) => job(`x${String(index).padStart(3, "0")}`));
  const at = (index, more) => listOf(...done.with(index, { ...done[index], state: "queued", ...more }));
  assert.equal(listOf(...done).pollLimit, 24);
  assert.equal(at(160).pollLimit, 40, "the list is newest first");
  assert.equal(at(3).pollLimit, 100);
  assert.equal(listOf(...done).nextPollMs, 30_000);
  assert.equal(at(3, { eta_seconds: 1 }).nextPollMs, 2_000);
  assert.equal(at(3, { eta_seconds: 20 }).nextPollMs, 5_000);
  assert.equal(at(3, { eta_seconds: 900 }).nextPollMs, 10_000);
});

test("a range extends from the item touched last, in both directions, and can be deselected", () => {
  const order = [..."abcdef"];
  const selection = new Selection();
  const chosen = () => order.filter((id) => selection.has(id)).join("");
  selection.set("e", true, { isRange: true, order });
  assert.equal(chosen(), "e", "without a first one a range is one");
  selection.set("b", true, { isRange: true, order });
  assert.equal(chosen(), "bcde");
  selection.set("c", false, { isRange: true, order });
  assert.equal(chosen(), "de");
  selection.addAll(["a", "f"]);
  selection.drop("d");
  assert.equal(chosen(), "aef");
  assert.equal(selection.size, 3);
  selection.clear();
  selection.set("c", true, { isRange: true, order });
  assert.equal(chosen(), "c");
});

test("the address holds the filter, and invalid values are ignored", () => {
  const read = (query) => readFilter(new URLSearchParams(query));
  assert.deepEqual(read(""), { state: null, q: null });
  assert.deepEqual(read("state=failed&q=red+fox"), { state: "failed", q: "red fox" });
  assert.deepEqual(read("state=junk&q=++"), { state: null, q: null });
  assert.equal([...read(`q=${"🦊".repeat(300)}`).q].length, 200);
  assert.equal(filterPath({ state: null, q: null }), "/pictures");
  for (const filter of [
    { state: "queued", q: null },
    { state: null, q: "a & b" },
  ]) {
    assert.deepEqual(read(filterPath(filter).split("?")[1]), filter);
  }
});

test("a job matches by state and by every word, in any case", () => {
  const fox = { state: "queued", prompt: "A Red fox" };
  assert.ok(matchesFilter(fox, { state: null, q: "FOX red" }));
  assert.ok(!matchesFilter(fox, { state: null, q: "red foxes" }));
  assert.ok(!matchesFilter(fox, { state: "failed", q: null }));
});

test("an answer older than a user action is ignored", async () => {
  let revision = 0;
  const heard = [];
  const answers = [
    () => "first",
    () => {
      revision += 1;
      return "overtaken";
    },
    () => {
      throw new ApiError({ status: 503, code: "unavailable" });
    },
    () => "last",
  ];
  const pauses = [];
  const end = new Error("over");
  await assert.rejects(
    pollList({
      ask: async () => answers.shift()(),
      onAnswer: (answer) => heard.push(answer),
      onLost: (isLost) => heard.push(isLost),
      nextMs: () => 10,
      revision: () => revision,
      ready: async () => {},
      pause: async (ms) => {
        if (answers.length === 0) throw end;
        pauses.push(ms);
      },
    }),
    end,
  );
  assert.deepEqual(heard, ["first", true, false, "last"]);
  assert.deepEqual(pauses, [10, 10, 10, 2_000]);
});

test("an error that a retry cannot fix ends the polling", async () => {
  const refused = new ApiError({ status: 401, code: "unauthorized" });
  const ask = async () => {
    throw refused;
  };
  const nothing = async () => {};
  await assert.rejects(
    pollList({ ask, onLost: assert.fail, nextMs: () => 1, revision: () => 0, ready: nothing, pause: nothing }),
    refused,
  );
});
