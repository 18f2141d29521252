import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as nodesCrc32 } from "node:zlib";
import { ApiError } from "../../web/lib/api-error.js";
import { endingOf, nameFrom, uniqueNames } from "../../web/lib/file-names.js";
import { crc32, Zip, ZipFullError } from "../../web/lib/zip.js";
import { zipPictures } from "../../web/lib/zip-pictures.js";

const bytes = (text) => new TextEncoder().encode(text);
const DAY = "2026-03-04T05:06:08Z";
const job = (prompt, ...ids) => ({ prompt, created_at: DAY, images: ids.map((id) => ({ id, link: `/i/${id}` })) });
/** The names in an archive's directory, in order. */
async function names(zip) {
  const text = Buffer.from(await zip.arrayBuffer()).toString("latin1");
  return text
    .split("PK\x01\x02")
    .slice(1)
    .map((entry) => entry.slice(42, 42 + entry.charCodeAt(24)));
}

test("the checksum is CRC-32, also in pieces", { skip: !nodesCrc32 }, () => {
  assert.equal(crc32(bytes("123456789")), 0xcbf43926);
  assert.equal(crc32(bytes("")), 0);
  const random = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 2654435761) >>> 13);
  assert.equal(crc32(random.subarray(40_000), crc32(random.subarray(0, 40_000))), nodesCrc32(random));
});

test("an archive refuses what would need ZIP64 and stays unchanged", async () => {
  const zip = new Zip();
  await zip.add("small.png", new Blob(["small"]), new Date(DAY));
  const small = zip.finish().size;
  // Its bytes are never there: only their number counts here.
  const huge = { size: 0xffffffff - 100, stream: () => new Blob([]).stream() };
  await assert.rejects(zip.add("huge.png", huge, new Date(DAY)), ZipFullError);
  assert.equal(zip.finish().size, small);
});

test("names from prompts are safe on every system", () => {
  const cases = {
    "a lighthouse at night": "a lighthouse at night",
    "a | b": "a b",
    "../../etc/passwd": "etc passwd",
    'C:\\dir "quoted" <tag>?*': "C dir quoted tag",
    "  .hidden. ": "hidden",
    "a\u202egnp.exe\u0000\n": "a gnp.exe",
    "": "picture",
    "CON": "picture",
    "lpt1": "picture",
    "маяк на скале": "маяк на скале",
  };
  for (const [prompt, name] of Object.entries(cases)) assert.equal(nameFrom(prompt, "picture"), name);
  const long = nameFrom("🏠".repeat(300), "picture");
  assert.equal(long, "🏠".repeat(50));
  assert.ok(bytes(long).length < 240);
});

test("names are unique whatever their case", () => {
  const unique = uniqueNames();
  assert.deepEqual(
    [unique("Sea", "png"), unique("sea", "png"), unique("SEA", "png"), unique("sea", "jpg")],
    ["Sea.png", "sea (2).png", "SEA (3).png", "sea.jpg"],
  );
  assert.deepEqual([endingOf("image/jpeg"), endingOf("image/png"), endingOf("")], ["jpg", "png", "png"]);
});

test("a picture that cannot be fetched is counted, and the others continue", async () => {
  const heard = [];
  const get = async ({ id }) => {
    if (id === "gone") throw new ApiError({ status: 404, code: "http_404" });
    return new Blob([id], { type: "image/png" });
  };
  const jobs = [job("sea", "one", "gone"), job("sea", "two")];
  const { blob, count, lost } = await zipPictures(jobs, {
    spare: "picture",
    get,
    onProgress: ({ done, total }) => heard.push([done, total]),
  });
  assert.deepEqual({ count, lost }, { count: 2, lost: 1 });
  assert.deepEqual(await names(blob), ["sea.png", "sea (2).png"]);
  assert.deepEqual(heard, [
    [0, 3],
    [1, 3],
    [2, 3],
    [3, 3],
  ]);
});

test("the video of a job's making is in the archive, after its pictures", async () => {
  const get = async ({ link }) => new Blob([link], { type: link === "/i/one?timelapse=1" ? "video/mp4" : "image/png" });
  const jobs = [
    { ...job("sea", "one", "two"), timelapse_url: "/v" },
    { ...job("sky", "three"), timelapse_url: null },
  ];
  const { blob, count } = await zipPictures(jobs, { spare: "picture", get });
  assert.equal(count, 4);
  assert.deepEqual((await names(blob)).sort(), ["sea (2).png", "sea.mp4", "sea.png", "sky.png"]);
});

test("stopping rejects with the reason, and nothing more is fetched", async () => {
  const leaving = new AbortController();
  let asked = 0;
  const get = async () => {
    asked += 1;
    leaving.abort();
    return new Blob(["x"]);
  };
  const jobs = [job("sea", ...Array.from({ length: 20 }, (_, index) => `${index}`))];
  await assert.rejects(zipPictures(jobs, { spare: "picture", get, signal: leaving.signal }), { name: "AbortError" });
  assert.ok(asked <= 3, `${asked} were fetched`);
});

test("a bug of the site is not a lost picture", async () => {
  const get = async () => {
    throw new TypeError("broken");
  };
  await assert.rejects(zipPictures([job("sea", "one")], { spare: "picture", get }), TypeError);
});
