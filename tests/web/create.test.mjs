import assert from "node:assert/strict";
import { test } from "node:test";
import { readProblem } from "../../web/lib/api-error.js";
import { clearDraft, readDraft, saveDraft } from "../../web/lib/draft.js";
import { SubmissionKeys } from "../../web/lib/idempotent-submit.js";
import { bodyOf, checkValues, formValues, isPainted, readNumber } from "../../web/lib/job-request.js";
import { UPLOAD_BYTES } from "../../web/lib/picture-storage.js";
import { isShown, pickChoice } from "../../web/lib/presets.js";
import { StartPictures } from "../../web/lib/start-pictures.js";
import { counter } from "./counter.mjs";
import { memory } from "./memory-storage.mjs";

const PRESETS = {
  qualities: [
    { key: "draft", steps: 15, scale: 7.5, upscale: 1 },
    { key: "normal", steps: 30, scale: 7.5, upscale: 1 },
  ],
  aspects: [
    { key: "square", width: 512, height: 512 },
    { key: "wide", width: 768, height: 432, offered: false },
  ],
  fields: [
    { name: "prompt", type: "string", max_length: 10 },
    { name: "quality", type: "string", default: "normal" },
    { name: "aspect", type: "string", default: "square" },
    { name: "steps", type: "integer", minimum: 1, maximum: 150 },
    { name: "scale", type: "number", minimum: 0, maximum: 30 },
    { name: "width", type: "integer", minimum: 64, maximum: 2048, multiple_of: 8 },
    { name: "timelapse", type: "boolean", enum: [false] },
    { name: "describe", type: "boolean", offered: false },
  ],
};

test("settings equal to their preset count as the preset", () => {
  const job = {
    prompt: "a",
    quality: "draft",
    steps: 15,
    scale: 7.5,
    upscale: 2,
    aspect: "square",
    width: 512,
    height: 512,
    seed: 7,
  };
  const { steps, scale, upscale, width, height, seed } = formValues(job, PRESETS);
  assert.deepEqual(
    { steps, scale, upscale, width, height, seed },
    { steps: null, scale: null, upscale: 2, width: null, height: null, seed: 7 },
  );
});

test("own values stay, and an own width or height makes both own", () => {
  const own = formValues({ quality: "normal", steps: 15, aspect: "square", width: 512, height: 64 }, PRESETS);
  assert.deepEqual([own.steps, own.width, own.height], [15, 512, 64]);
  const half = formValues({ height: 64 }, PRESETS);
  assert.deepEqual([half.width, half.height], [null, 64]);
});

test("an unavailable choice is replaced, and its size becomes an own size", () => {
  const { aspect, width, height } = formValues({ aspect: "wide", width: 768, height: 432 }, PRESETS);
  assert.deepEqual([aspect, width, height], ["square", 768, 432]);
  assert.equal(pickChoice([{ key: "a", offered: false }], "a", "a"), null);
});

test("a field is shown if it is offered or unspecified and has more than one value", () => {
  assert.deepEqual(
    ["prompt", "steps", "describe", "timelapse", "unheard_of"].filter((name) => isShown(PRESETS, name)),
    ["prompt", "steps"],
  );
});

test("a submission contains the chosen values and leaves the rest to the API", () => {
  const values = {
    prompt: "a",
    style: null,
    negative_prompt: "",
    n: 2,
    describe: false,
    description: { skip_clip: true },
    strength: 0.5,
  };
  assert.deepEqual(bodyOf(values), { prompt: "a", n: 2 });
  assert.deepEqual(bodyOf({ ...values, describe: true, source_images: ["k"] }), {
    prompt: "a",
    n: 2,
    describe: true,
    source_images: ["k"],
    strength: 0.5,
    description: { skip_clip: true },
  });
});

test("a likeness has its weight, and is left out where no new picture is made", () => {
  const values = { prompt: "a", likeness: "12345678", likeness_weight: null };
  assert.deepEqual(bodyOf(values), { prompt: "a", likeness: "12345678" });
  assert.equal(bodyOf({ ...values, likeness_weight: 0.5 }).likeness_weight, 0.5);
  assert.deepEqual(bodyOf({ ...values, likeness: null, likeness_weight: 0.5 }), { prompt: "a" });
  assert.equal("likeness" in bodyOf({ ...values, strength: -1, source_images: ["k"] }), false);
  const likeness = [
    { code: "12345678", weight: 0.5 },
    { code: "87654321", weight: 1 },
  ];
  assert.deepEqual(bodyOf({ prompt: "a", likeness, likeness_weight: null }), { prompt: "a", likeness });
  assert.deepEqual(bodyOf({ prompt: "a", likeness, likeness_weight: 2 }), {
    prompt: "a",
    likeness: ["12345678", "87654321"],
    likeness_weight: 2,
  });
});

test("a number is parsed as people write it, other text stays text", () => {
  assert.deepEqual(["", " 7,5 ", "7.5", "-1", "abc", "1e9"].map(readNumber), [null, 7.5, 7.5, -1, "abc", "1e9"]);
});

test("values that the API would refuse are found first, with its codes", () => {
  const check = (values) => checkValues({ prompt: "a", ...values }, PRESETS);
  assert.deepEqual(check({ steps: 1, scale: 0, width: 64 }), {});
  assert.deepEqual(check({ steps: 151 }).steps, { code: "too_large", limit: 150 });
  assert.deepEqual(check({ steps: 0 }).steps, { code: "too_small", limit: 1 });
  assert.equal(check({ steps: 1.5 }).steps.code, "wrong_type");
  assert.equal(check({ steps: "many" }).steps.code, "wrong_type");
  assert.deepEqual(check({ width: 100 }).width, { code: "not_a_multiple", limit: 8 });
  assert.deepEqual(check({ prompt: "12345678901" }).prompt, { code: "too_long", limit: 10 });
  assert.deepEqual(check({ prompt: "\u{1F98A}".repeat(10) }), {}, "characters count, not halves of them");
  assert.equal(check({ prompt: " | " }).prompt.code, "required");
  assert.deepEqual(
    ["12345678", null].map((likeness) => check({ likeness })),
    [{}, {}],
  );
  assert.equal(check({ likeness: "1234567" }).likeness.code, "no_code");
  assert.equal(check({ likeness: ["12345678", "1234567"] }).likeness.code, "no_code");
  const four = ["00000001", "00000002", "00000003", "00000004"];
  assert.deepEqual(check({ likeness: four }).likeness, { code: "too_many", limit: 3 });
});

test("without a new picture no prompt is needed", () => {
  assert.ok(isPainted({ strength: 0, source_images: ["k"] }));
  assert.ok(isPainted({ strength: -1, source_images: [] }));
  assert.deepEqual(checkValues({ prompt: "", strength: -1, source_images: ["k"] }, PRESETS), {});
});

test("a draft that is not an object is ignored", () => {
  const storage = memory();
  for (const text of ["[1]", "7", "null", "{"]) {
    storage.setItem("easel.draft", text);
    assert.deepEqual(readDraft(storage), {}, text);
  }
  saveDraft({ prompt: "a" }, storage);
  assert.deepEqual(readDraft(storage), { prompt: "a" });
});

test("a logout deletes the draft and the previews", async () => {
  const storage = memory();
  saveDraft({ prompt: "a" }, storage);
  const starts = startsWith({ storage });
  await starts.add(picture(), 4);
  await starts.settled(new AbortController().signal);
  clearDraft(storage);
  assert.deepEqual([storage.getItem("easel.draft"), storage.getItem("easel.starts")], [null, null]);
});

test("two unanswered submissions keep different keys", () => {
  const storage = memory();
  const newKey = counter("key-");
  const first = new SubmissionKeys(storage, newKey);
  const second = new SubmissionKeys(storage, newKey);
  assert.deepEqual([first.keyFor({ prompt: "a" }), second.keyFor({ prompt: "b" })], ["key-1", "key-2"]);
  second.settle({ prompt: "b" });
  assert.equal(first.keyFor({ prompt: "a" }), "key-1");
  assert.equal(second.keyFor({ prompt: "b" }), "key-3");
});

test("where each generator has its own steps, only the user's are kept", () => {
  const open = { ...PRESETS, qualities: [{ key: "normal", steps: null, scale: null, upscale: 1 }] };
  const { steps, scale } = formValues({ quality: "normal", steps: 12, scale: null }, open);
  assert.deepEqual([steps, scale], [12, null]);
});

test("a refusal keeps one reason per field, and the codes of all", () => {
  const errors = [
    { field: "steps", message: "No.", code: "too_large", limit: 150 },
    { field: "steps", message: "Odd.", code: "invalid" },
    { field: "n", message: "No." },
  ];
  const { fields, reasons, codes } = readProblem(422, { errors });
  assert.deepEqual(fields, { steps: "No.", n: "No." });
  assert.deepEqual(reasons, { steps: { code: "too_large", limit: 150 } });
  assert.deepEqual(codes, { steps: ["too_large", "invalid"] });
});

const picture = (name = "a.png", options = {}) => new File(["x"], name, { type: "image/png", ...options });

function startsWith({
  upload = async () => "key-1",
  storage = memory(),
  mayUpload = () => true,
  preview = async () => "data:,",
} = {}) {
  return new StartPictures({ upload, preview, mayUpload, storage });
}

test("a start picture gets its key, and its preview survives a reload", async () => {
  const storage = memory();
  const starts = startsWith({ storage });
  assert.equal(await starts.add(picture(), 4), null);
  await starts.settled(new AbortController().signal);
  assert.deepEqual(starts.keys(), ["key-1"]);
  const later = startsWith({ storage });
  later.restore(["key-1", "key-of-old"]);
  assert.deepEqual(
    later.items.map(({ name, preview, state }) => [name, preview, state]),
    [
      ["a.png", "data:,", "ready"],
      ["", null, "ready"],
    ],
  );
});

test("files of a wrong type, too large or too many are refused", async () => {
  const starts = startsWith();
  assert.equal(await starts.add(picture("a.gif", { type: "image/gif" }), 4), "type");
  assert.equal(await starts.add(Object.defineProperty(picture(), "size", { value: UPLOAD_BYTES + 1 }), 4), "size");
  assert.equal(await starts.add(picture(), 0), "count");
  assert.equal(await startsWith({ preview: () => Promise.reject(new Error("junk")) }).add(picture(), 4), "broken");
  assert.deepEqual(starts.items, []);
});

test("a failed upload can be retried", async () => {
  const answers = [() => Promise.reject(new Error("lost")), async () => "key-2"];
  const starts = startsWith({ upload: () => answers.shift()() });
  await starts.add(picture(), 4);
  await starts.settled(new AbortController().signal);
  assert.equal(starts.items[0].state, "failed");
  starts.retry(starts.items[0].id);
  await starts.settled(new AbortController().signal);
  assert.deepEqual(starts.keys(), ["key-2"]);
});

test("a guest's picture waits for the login", async () => {
  let isIn = false;
  const starts = startsWith({ mayUpload: () => isIn });
  await starts.add(picture(), 4);
  assert.equal(starts.items[0].state, "waiting");
  isIn = true;
  starts.sendWaiting();
  await starts.settled(new AbortController().signal);
  assert.deepEqual(starts.keys(), ["key-1"]);
});

test("a key that the API refuses is dropped, also from the storage", async () => {
  const storage = memory();
  const starts = startsWith({ storage });
  await starts.add(picture(), 4);
  await starts.settled(new AbortController().signal);
  starts.markLost("key-1", "not_yours");
  assert.deepEqual([starts.items[0].state, starts.items[0].error.codes, starts.keys()], ["lost", ["not_yours"], []]);
  const later = startsWith({ storage });
  later.restore(["key-1"]);
  assert.equal(later.items[0].preview, null);
});

test("pictures that the API has looked at keep their keys", async () => {
  const keys = ["key-1", "key-2"];
  const starts = startsWith({ upload: async () => keys.shift() });
  await starts.add(picture("a.png"), 5);
  await starts.add(picture("b.png"), 5);
  await starts.settled(new AbortController().signal);
  starts.judge(["key-1", "key-2"], { "key-2": ["photo_blurred", "photo_repeated"] });
  const shown = () => starts.items.map(({ state, error }) => [state, error?.codes ?? null]);
  assert.deepEqual(shown(), [
    ["good", null],
    ["refused", ["photo_blurred", "photo_repeated"]],
  ]);
  assert.deepEqual(starts.keys(), ["key-1", "key-2"]);
  starts.judge(["key-2"], {});
  assert.deepEqual(shown(), [
    ["good", null],
    ["good", null],
  ]);
  starts.unjudge();
  assert.deepEqual(shown(), [
    ["ready", null],
    ["ready", null],
  ]);
});

test("another draft replaces the uploaded pictures and keeps those without a key", async () => {
  const starts = startsWith({ mayUpload: () => false });
  await starts.add(picture("guest.png"), 4);
  starts.restore(["a", "b"]);
  starts.restore(["b"]);
  assert.deepEqual(
    starts.items.map(({ key, name }) => key ?? name),
    ["guest.png", "b"],
  );
});

test("removing a picture aborts its upload", async () => {
  let signal;
  const starts = startsWith({
    upload: (_, options) => {
      signal = options.signal;
      return new Promise(() => {});
    },
  });
  await starts.add(picture(), 4);
  starts.remove(starts.items[0].id);
  assert.ok(signal.aborted);
  await starts.settled(new AbortController().signal);
});
