import assert from "node:assert/strict";
import { test } from "node:test";
import { previousPage, savedPosition, savePage, savePosition } from "../../web/lib/breadcrumbs.js";
import { GalleryVisits, galleryAddress, loadPage, refreshFirstPage } from "../../web/lib/gallery-visits.js";
import { firstRow, sourcesOf, tileSizes } from "../../web/lib/picture-sources.js";
import { Renewals } from "../../web/lib/renewals.js";
import { truncate } from "../../web/lib/truncate.js";
import { counter } from "./counter.mjs";
import { serveAnswers } from "./fake-api.mjs";
import { memory } from "./memory-storage.mjs";

const items = (...ids) => ids.map((id) => ({ job_id: id, images: [{}] }));
const ids = (found) => found.map(({ job_id }) => job_id);

test("a truncated prompt ends between words with an ellipsis", () => {
  assert.equal(truncate("a fox"), "a fox");
  assert.equal(truncate("  a\n fox "), "a fox");
  assert.equal(truncate("a fox, a hare and an owl", 12), "a fox, a…");
  assert.equal(truncate("a fox, and so on", 8), "a fox…");
  assert.equal(truncate("x".repeat(80)), `${"x".repeat(59)}…`);
  assert.equal(truncate("🦊".repeat(80), 5), "🦊🦊🦊🦊…");
  assert.equal(truncate(""), "");
});

test("a tile offers thumbnail and full picture by width; a small picture has one source", () => {
  const image = { url: "/full", thumbnail_url: "/small", link: "/i/1", width: 1024, height: 2048 };
  assert.deepEqual(sourcesOf(image), { src: "/full", srcset: null });
  assert.deepEqual(sourcesOf(image, { isThumbnail: true }), { src: "/small", srcset: "/small 256w, /full 1024w" });
  assert.deepEqual(sourcesOf({ ...image, width: 512, height: 512 }, { isThumbnail: true }), {
    src: "/small",
    srcset: null,
  });
  assert.deepEqual(sourcesOf({ ...image, width: null }, { isThumbnail: true }).src, "/small");
});

test("a renewed picture uses its permanent link", () => {
  const image = { url: "/full", thumbnail_url: "/small", link: "/i/1", width: 2048, height: 1024 };
  assert.equal(sourcesOf(image, { isRenewed: true }).src, "/i/1");
  const wanted = { src: "/i/1?thumbnail=1", srcset: "/i/1?thumbnail=1 512w, /i/1 2048w" };
  assert.deepEqual(sourcesOf(image, { isThumbnail: true, isRenewed: true }), wanted);
});

test("a wide tile takes more of a row than a tall one", () => {
  assert.match(tileSizes(2), /\* 2\.30\)/);
  assert.match(tileSizes(0.5), /\* 0\.57\)|\* 0\.58\)/);
});

test("the first row holds as many tiles as fit, and at least one", () => {
  assert.equal(firstRow([1, 1, 1, 1, 1], 3.6), 3);
  assert.equal(firstRow([9, 1], 3.6), 1);
  assert.equal(firstRow([1, 1], 3.6), 2);
  assert.equal(firstRow([], 3.6), 1);
});

/** Renewals with a clock and a timer controlled by the test. */
function clockwork() {
  const clock = { now: 0, timer: null };
  const wait = (ms, action) => {
    clock.timer = { at: clock.now + ms, action };
    return () => {
      clock.timer = null;
    };
  };
  return { clock, renewals: new Renewals({ now: () => clock.now, wait }) };
}

function entry(at, seen, isGone = () => false) {
  return { at, isGone, renew: () => seen.push(at) };
}

test("each picture is renewed at its time, once", () => {
  const { clock, renewals } = clockwork();
  const seen = [];
  for (const at of [500, 300, 700]) renewals.add(entry(at, seen));
  assert.equal(clock.timer.at, 300);
  clock.now = 500;
  clock.timer.action();
  assert.deepEqual(seen, [500, 300]);
  assert.equal(clock.timer.at, 700);
  clock.now = 900;
  renewals.renewDue();
  renewals.renewDue();
  assert.deepEqual(seen, [500, 300, 700]);
  assert.equal(clock.timer, null);
});

test("loaded and removed pictures are not renewed and not kept", () => {
  const { clock, renewals } = clockwork();
  const seen = [];
  const loaded = entry(10, seen);
  renewals.add(loaded);
  renewals.add(entry(10, seen, () => true));
  renewals.add(entry(99, seen, () => true));
  renewals.delete(loaded);
  clock.now = 10;
  renewals.renewDue();
  assert.deepEqual(seen, []);
  assert.equal(renewals.size, 0);
});

test("an entry without a due time is renewed only with all entries", () => {
  const { clock, renewals } = clockwork();
  const seen = [];
  renewals.add(entry(Infinity, seen));
  assert.equal(clock.timer, null);
  clock.now = 1e12;
  renewals.renewDue();
  assert.deepEqual(seen, []);
  renewals.renewDue(Infinity);
  assert.deepEqual(seen, [Infinity]);
});

test("a visit grows page by page and shows no job twice", () => {
  const visit = new GalleryVisits().begin(null);
  assert.equal(visit.next, undefined);
  assert.deepEqual(ids(visit.add({ cursor: null, items: items("a", "b"), next: "1" })), ["a", "b"]);
  assert.deepEqual(ids(visit.add({ cursor: "1", items: items("b", "c"), next: null })), ["c"]);
  assert.deepEqual(ids(visit.items), ["a", "b", "c"]);
  assert.equal(visit.next, null);
  assert.equal(visit.cursorOf("c"), "1");
  assert.deepEqual(visit.neighbours("b"), { previous: visit.find("a"), next: visit.find("c") });
  assert.equal(visit.neighbours("a").previous, null);
  assert.deepEqual(visit.neighbours("x"), { previous: null, next: null });
});

test("new pictures of a new installation are added behind the others", () => {
  const visit = new GalleryVisits().begin(null);
  visit.add({ cursor: null, items: items("a"), next: null });
  assert.deepEqual(ids(visit.refresh({ cursor: null, items: items("c", "a"), next: null })), ["c"]);
  assert.deepEqual(ids(visit.items), ["a", "c"]);
});

test("a long visit keeps its latest pages and knows its start", () => {
  const visit = new GalleryVisits().begin(null);
  for (let page = 0; page < 25; page += 1) {
    visit.add({ cursor: page ? String(page) : null, items: items(`j${page}`), next: String(page + 1) });
  }
  assert.equal(visit.pages.length, 20);
  assert.equal(visit.start, "5");
  assert.equal(visit.pages[0].cursor, "5");
  assert.equal(visit.cursorOf("j0"), null);
  assert.equal(visit.find("j0"), null);
});

test("recent visits are found again if they still hold the position", () => {
  const visits = new GalleryVisits(counter("w"));
  const first = visits.begin(null);
  assert.equal(visits.open("w1"), null, "nothing was loaded");
  first.add({ cursor: null, items: items("a"), next: null });
  assert.equal(visits.open("w1"), first);
  assert.equal(visits.containing("a"), first);
  first.position = { job: "gone", offset: 0 };
  assert.equal(visits.open("w1"), null);
  const again = visits.begin("5", "w1");
  assert.equal(visits.containing("a"), null, "the new visit replaces the old one");
  for (let more = 0; more < 3; more += 1) visits.begin(null);
  again.add({ cursor: "5", items: items("b"), next: null });
  assert.equal(visits.open("w1"), null);
  assert.equal(visits.open(undefined), null);
});

test("every page has an address", () => {
  assert.equal(galleryAddress(null), "/");
  assert.equal(galleryAddress("a+b="), "/?after=a%2Bb%3D");
});

test("a page is fetched by its cursor and remembered with the one before it", async (context) => {
  globalThis.sessionStorage = memory();
  const asked = serveAnswers(
    context,
    { body: { items: items("a"), next: "n1" } },
    { body: { items: [...items("b"), { job_id: "words alone", images: [] }], next: null } },
    { body: { items: items("a", "z"), next: null } },
  );
  const visit = new GalleryVisits().begin(null);
  await loadPage(visit, null, {});
  await loadPage(visit, "n1", {});
  assert.deepEqual(
    asked.map(({ path }) => path),
    ["/v1/gallery?limit=24", "/v1/gallery?cursor=n1&limit=24"],
  );
  assert.deepEqual(ids(visit.items), ["a", "b"]);
  assert.equal(previousPage("n1"), null);
  assert.deepEqual(ids(await refreshFirstPage(visit, {})), ["z"]);
  delete globalThis.sessionStorage;
});

test("the breadcrumbs survive a reload, within bounds", () => {
  const storage = memory();
  assert.equal(previousPage("x", storage), null);
  savePage("b", "a", storage);
  savePosition("w1", { job: "j", offset: -20 }, storage);
  savePage("c", "b", storage);
  assert.equal(previousPage("c", storage), "b");
  assert.deepEqual(savedPosition("w1", storage), { job: "j", offset: -20 });
  assert.equal(savedPosition("w2", storage), null);
  for (let page = 0; page < 80; page += 1) savePage(`p${page}`, `p${page - 1}`, storage);
  assert.equal(previousPage("b", storage), null);
  assert.equal(previousPage("p79", storage), "p78");
  storage.setItem("easel.gallery", "{");
  assert.equal(previousPage("p79", storage), null);
});
