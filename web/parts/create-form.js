import { element, fill } from "../lib/dom.js";
import { currentLocale, t } from "../lib/i18n.js";
import { formValues, isPainted } from "../lib/job-request.js";
import { isShown } from "../lib/presets.js";
import { advancedFields } from "./create/advanced.js";
import { pixelArtFields } from "./create/pixel-art.js";
import { presetChoices, showOverride } from "./create/preset-choices.js";
import { promptField } from "./create/prompt.js";
import { seedField } from "./create/seed.js";
import { stage } from "./create/stage.js";
import { startPicturesField } from "./create/start-pictures.js";
import { strengthField } from "./create/strength.js";
import { field } from "./field.js";

/**
 * Create the form of a new job from `GET /v1/presets` and fill it with a draft.
 *
 * Returns `{node, fields, values, addStartPictures, showStartError, showStep, showError, showQuota}`. `values()` are
 * the values by the API's field names, `fields` the form's fields by the names in the API's errors. `change` is an
 * extra button, `{words, run}`. `fillIn` and `filled` are those of `startPicturesField`.
 */
export function createForm({ presets, draft, startPictures, signal, change, fillIn, filled }) {
  const values = formValues(draft, presets);
  const easel = stage();
  const keep = () => keepInStep();
  const look = presetChoices(presets, values);
  const pixelArt = pixelArtFields(presets, values);
  const advanced = advancedFields(presets, values, signal);
  const strength = strengthField(presets, values, () => {
    if (strength.isKept()) advanced.open();
    keep();
  });
  const pictures = isShown(presets, "source_images")
    ? startPicturesField(presets, startPictures, { stage: easel.node, signal, fillIn, filled })
    : null;
  const fields = {
    prompt: promptField(presets, values),
    ...(pictures ? { source_images: pictures, strength } : {}),
    ...(isShown(presets, "negative_prompt") ? { negative_prompt: negativeField(values) } : {}),
    ...look,
    ...pixelArt.fields,
    ...(isShown(presets, "seed") ? { seed: seedField(presets, values) } : {}),
    ...advanced.fields,
  };
  const read = () => {
    const values = Object.fromEntries(
      Object.entries(fields)
        .filter(([name]) => !name.includes("."))
        .map(([name, { value }]) => [name, value()]),
    );
    return Array.isArray(values.style) ? { ...values, n: null } : values;
  };
  const bar = actionBar(change);
  const node = layOut({ fields, easel, pictures, strength, look, pixelArt, advanced, bar });

  function keepInStep() {
    const now = read();
    const quality = presets.qualities.find(({ key }) => key === now.quality) ?? {};
    const aspect = presets.aspects.find(({ key }) => key === now.aspect) ?? {};
    advanced.setUsual({ quality, aspect });
    pixelArt.show(now.type);
    if (look.n) look.n.node.hidden = Array.isArray(now.style);
    strength.node.hidden = startPictures.items.length === 0;
    fields.prompt.setNeeded(isPainted({ ...now, source_images: startPictures.items }));
    const size = sizeOf(now, aspect);
    const [first] = startPictures.items;
    easel.show({ ...size, picture: pictures && first ? (first.url ?? first.preview) : null });
    showOverrides({ look, fields, now, size, changed: () => node.dispatchEvent(new Event("input")) });
  }
  node.addEventListener("input", keep);
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  startPictures.addEventListener("change", keep, { signal });
  keep();
  return { node, fields, values: read, ...pictureTools(pictures), ...bar.controls };
}

/** Return the functions for start pictures; they do nothing where the site offers none. */
function pictureTools(pictures) {
  return {
    addStartPictures: async (files) => pictures?.addAll(files),
    showStartError: (words) => pictures?.showError(words),
  };
}

/** Arrange the form in reading order: prompt, easel with start pictures, settings, button. */
function layOut({ fields, easel, pictures, strength, look, pixelArt, advanced, bar }) {
  const side = element("div", { class: "create-side" }, easel.node, pictures?.node, pictures && strength.node);
  const nodes = (...all) => all.map((one) => one?.node);
  const settings = element(
    "div",
    { class: "create-settings" },
    nodes(look.type, pixelArt, look.style, look.aspect, look.quality),
    element("div", { class: "create-pair" }, nodes(look.n, fields.seed)),
    nodes(fields.negative_prompt, advanced),
  );
  return element("form", { class: "create", novalidate: true }, fields.prompt.node, side, settings, bar.node);
}

function negativeField({ negative_prompt: given = "" }) {
  const made = field({
    name: "negative_prompt",
    label: t("create.negative"),
    tag: "textarea",
    rows: 2,
    hint: t("create.negative.hint"),
  });
  made.input.value = given;
  return { ...made, value: () => made.input.value.trim() };
}

/** Return the size in pixels: the user's own numbers, else the aspect's. */
function sizeOf({ width, height }, aspect) {
  const pick = (own, preset) => (typeof own === "number" && own > 0 ? own : preset);
  return { width: pick(width, aspect.width), height: pick(height, aspect.height) };
}

/** Show at each choice which own numbers override it, because their disclosure may be closed. */
function showOverrides({ look, fields, now, size, changed }) {
  const own = (...names) => names.filter((name) => fields[name] && now[name] !== null);
  const drop = (names) => () => {
    for (const name of names) fields[name].clear();
    changed();
  };
  const number = new Intl.NumberFormat(currentLocale());
  const inWords = (name) =>
    `${t(`create.field.${name}`)} ${typeof now[name] === "number" ? number.format(now[name]) : now[name]}`;
  const numbers = own("steps", "scale", "upscale");
  const sides = own("width", "height");
  if (look.quality)
    showOverride(
      look.quality,
      numbers.length ? t("create.own", { list: numbers.map(inWords).join(", ") }) : null,
      drop(numbers),
    );
  if (look.aspect)
    showOverride(look.aspect, sides.length ? t("create.own", { list: t("create.canvas", size) }) : null, drop(sides));
}

/** Create the sticky bar with the submit button, the quota, the error and the button that clears the form. */
function actionBar({ words, run }) {
  const alert = element("p", { class: "form-error", role: "alert" });
  const quota = element("p", { class: "hint" });
  const button = element("button", { class: "button is-main is-large" }, t("create.submit"));
  const keys = element("span", { class: "hint create-keys" }, t("create.keys"));
  const afresh = element("button", { type: "button", class: "button is-quiet", on: { click: run } }, t(words));
  const node = element(
    "div",
    { class: "create-bar" },
    alert,
    element("div", { class: "actions" }, button, keys, quota, afresh),
  );
  const controls = {
    showStep: (step) => {
      button.setAttribute("aria-disabled", step !== null);
      fill(button, t(step ?? "create.submit"));
    },
    showError: (sentence) => fill(alert, sentence ?? ""),
    showQuota: (me) => fill(quota, quotaInWords(me)),
  };
  return { node, controls };
}

function quotaInWords(me) {
  if (me === undefined) return "";
  return me === null ? t("create.guest") : t("create.quota", { left: me.quota.left_today, most: me.quota.per_day });
}
