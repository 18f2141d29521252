import { element, fill } from "../../lib/dom.js";
import { errorText } from "../../lib/error-text.js";
import { t, tOr } from "../../lib/i18n.js";
import { recipeOf } from "../../lib/picture-recipe.js";
import { SHARED } from "../../lib/picture-sources.js";
import { UPLOAD_BYTES, UPLOAD_TYPES } from "../../lib/picture-storage.js";
import { fieldOf } from "../../lib/presets.js";
import { announce } from "../announcer.js";

const TEXTS = { list: "create.starts", add: "create.starts.add", more: "create.starts.more" };
/** The states whose tiles show an error. */
const TROUBLED = ["failed", "lost", "refused"];
const MEGABYTES = UPLOAD_BYTES / 2 ** 20;

/**
 * Create the start-pictures field: a button for files, a target for drops and pastes, and a tile for each picture.
 *
 * `startPictures` is a StartPictures. Files dropped or pasted anywhere on the page count until `signal` is aborted;
 * `stage` shows that a drop is accepted. `value()` is the list of keys; `addAll(files)` adds more.
 * A single file with a recipe that the user chooses goes to `fillIn(recipe, file)` instead; `filled` is such a
 * `{file, words}`, which can still become a start picture. `words` is the hint, `texts` name the list and the button.
 */
export function startPicturesField(
  presets,
  startPictures,
  { stage, signal, fillIn, filled, words = t("create.starts.hint"), texts = TEXTS },
) {
  const most = fieldOf(presets, "source_images").max_items ?? 1;
  const error = element("p", { class: "field-error", id: "starts-error", role: "alert" });
  const list = element("ul", { class: "starts", "aria-label": t(texts.list) });
  const files = element("input", { type: "file", accept: UPLOAD_TYPES.join(","), multiple: most > 1, hidden: true });
  const button = element("button", {
    type: "button",
    class: "button",
    "aria-describedby": "starts-hint starts-error",
    on: { click: () => files.click() },
  });
  const hint = element("p", { class: "hint", id: "starts-hint" }, words);
  const showError = (message) => fill(error, message ?? "");

  async function addAll(chosen) {
    showError(null);
    const reasons = await Promise.all([...chosen].map((file) => startPictures.add(file, most)));
    const wrong = reasons.flatMap((reason, index) =>
      reason ? [t(`create.start.${reason}`, { name: chosen[index].name, most, megabytes: MEGABYTES })] : [],
    );
    showError([...new Set(wrong)].join(" "));
  }
  async function choose(chosen) {
    const recipe = chosen.length === 1 ? await recipeOf(chosen[0]) : null;
    if (signal.aborted) return;
    if (recipe) fillIn(recipe, chosen[0]);
    else await addAll(chosen);
  }
  files.addEventListener("change", () => {
    const chosen = [...files.files];
    files.value = "";
    choose(chosen);
  });
  takeDrops(stage, choose, signal);
  takePastes(choose, signal);
  keepTiles({
    startPictures,
    list,
    signal,
    onChange: () => {
      button.hidden = startPictures.items.length >= most;
      fill(button, t(startPictures.items.length === 0 ? texts.add : texts.more));
    },
    onEmptied: () => button.focus(),
  });
  const troubled = () =>
    list.querySelector(".start:is([data-state=failed], [data-state=lost], [data-state=refused]) button:not([hidden])");
  const node = element(
    "div",
    { class: "field field-starts" },
    list,
    element("div", { class: "actions" }, button, hint),
    files,
    error,
    filled && filledNote(filled, addAll),
  );
  const value = () => startPictures.keys();
  return {
    node,
    showError,
    addAll,
    value,
    get input() {
      return troubled() ?? button;
    },
  };
}

/** Say which picture filled in the form, with a button that makes it a start picture. */
function filledNote({ file, words: said }, addAll) {
  const use = () => {
    note.remove();
    addAll([file]);
  };
  const button = element(
    "button",
    { type: "button", class: "button is-quiet", on: { click: use } },
    t("create.recipe.start"),
  );
  const words = element("p", { class: "hint" }, said);
  const note = element("div", { class: "starts-filled" }, words, button);
  return note;
}

/** Accept drops on the whole page: otherwise the browser would leave the page to show the file. */
function takeDrops(stage, addAll, signal) {
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (isOver) => stage.classList.toggle("is-over", isOver);
  const on = (type, listener) =>
    document.addEventListener(type, (event) => hasFiles(event) && listener(event), { signal });
  on("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  });
  on("dragleave", (event) => event.relatedTarget === null && mark(false));
  on("drop", (event) => {
    event.preventDefault();
    mark(false);
    addAll([...event.dataTransfer.files]);
  });
}

/** Copied text may contain an image of itself; in a text field the text is meant. */
function takePastes(addAll, signal) {
  const paste = (event) => {
    const pictures = [...(event.clipboardData?.files ?? [])].filter(({ type }) => type.startsWith("image/"));
    const isText = event.clipboardData?.types.includes("text/plain") && event.target.matches?.("input, textarea");
    if (pictures.length === 0 || isText) return;
    event.preventDefault();
    addAll(pictures);
  };
  document.addEventListener("paste", paste, { signal });
}

/** Keep one tile per picture for as long as it exists, so that a tile in use is not rebuilt. */
function keepTiles({ startPictures, list, signal, onChange, onEmptied }) {
  const tiles = new Map();
  const show = () => {
    const present = new Set(startPictures.items.map(({ id }) => id));
    for (const [id, { node }] of tiles) {
      if (present.has(id)) continue;
      const hadFocus = node.contains(document.activeElement);
      node.remove();
      tiles.delete(id);
      if (hadFocus) (list.querySelector("button:not([hidden])") ?? { focus: onEmptied }).focus();
    }
    const news = startPictures.items.map((item) => {
      if (!tiles.has(item.id)) {
        tiles.set(item.id, tile(item, startPictures));
        list.append(tiles.get(item.id).node);
      }
      return tiles.get(item.id).show(item);
    });
    // Together, since the announcer keeps only the last sentence.
    if (news.some(Boolean)) announce(news.filter(Boolean).join("; "));
    list.hidden = startPictures.items.length === 0;
    onChange();
  };
  startPictures.addEventListener("change", show, { signal });
  show();
}

function tile({ id, name }, startPictures) {
  const named = name || t("create.start.unnamed");
  const image = element("img", { ...SHARED, alt: named, hidden: true });
  const bar = element("progress", { max: 1, "aria-label": t("create.start.progress", { name: named }) });
  const said = element("p", {});
  const button = (what, run) => {
    const label = t(`create.start.${what}.label`, { name: named });
    return element(
      "button",
      { type: "button", class: "button is-quiet", "aria-label": label, on: { click: run } },
      t(`create.start.${what}`),
    );
  };
  const retry = button("retry", () => startPictures.retry(id));
  const remove = button("remove", () => startPictures.remove(id));
  const frame = element("div", { class: "start-frame" }, image, bar);
  const node = element(
    "li",
    { class: "start" },
    frame,
    element("div", {}, said, element("div", { class: "actions" }, retry, remove)),
  );
  let last = null;

  /** Show the picture; return what is new about it in words, or null. */
  function show(item) {
    bar.value = item.progress;
    if (item.preview && image.getAttribute("src") !== item.preview) {
      image.src = item.preview;
      image.hidden = false;
    }
    const now = `${item.state} ${item.error?.codes ?? item.error?.code}`;
    if (now === last) return null;
    last = now;
    node.dataset.state = item.state;
    bar.hidden = item.state !== "sending";
    retry.hidden = !item.file || !["failed", "lost"].includes(item.state);
    said.className = TROUBLED.includes(item.state) ? "field-error" : "hint";
    fill(
      said,
      stateInWords(item).flatMap((words) => [element("span", {}, words), " "]),
    );
    return item.state === "sending" ? null : `${named}: ${said.textContent.trim()}`;
  }
  return { node, show };
}

/** Return sentences, one for each thing that is wrong. */
function stateInWords({ state, error }) {
  if (state === "failed") return [errorText(error)];
  if (state === "lost" || state === "refused")
    return error.codes.map((code) => tOr(`invalid.${code}`, t("invalid.not_uploaded")));
  return [t(`create.start.${state}`)];
}
