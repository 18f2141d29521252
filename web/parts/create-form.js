import { element, fill } from "../lib/dom.js";
import { fieldOf, ratioOf } from "../lib/shape.js";
import { t } from "../lib/text.js";
import { canvas } from "./canvas.js";
import { choice } from "./choice.js";
import { field } from "./field.js";

/**
 * The form of a new job, built from what `GET /v1/presets` says and filled with a draft.
 *
 * Answers `{node, fields, values, setSending, showError, showQuota}`; `values()` are the API's fields by their names.
 */
export function createForm(presets, draft) {
  const size = element("p", { class: "canvas-size" });
  const board = canvas({ ratio: 1 });
  const fields = {
    prompt: promptField(presets, draft),
    aspect: aspectChoice(presets, draft, showShape),
    quality: qualityChoice(presets, draft),
    n: countChoice(presets, draft),
    negative_prompt: negativeField(presets, draft),
    seed: seedField(presets, draft),
  };
  const alert = element("p", { class: "form-error", role: "alert" });
  const quota = element("p", { class: "hint" });
  const button = element("button", { class: "button is-main is-large" }, t("create.submit"));

  function showShape() {
    const aspect = presets.aspects.find(({ key }) => key === fields.aspect.value());
    if (!aspect) return;
    board.setRatio(ratioOf(aspect));
    fill(size, t("create.canvas", aspect));
  }
  showShape();

  const more = element("details", { class: "more-options", open: Boolean(draft.negative_prompt || draft.seed) },
    element("summary", {}, t("create.more")), element("div", {}, fields.negative_prompt.node, fields.seed.node));
  const settings = element("div", { class: "create-settings" },
    fields.aspect.node, fields.quality.node, fields.n.node, more, alert, element("div", { class: "actions" }, button, quota));
  const stage = element("div", { class: "create-stage", "aria-hidden": "true" }, board.node, size);
  const node = element("form", { class: "create", novalidate: true }, fields.prompt.node, stage, settings);
  return {
    node,
    fields,
    values: () => valuesOf(fields),
    setSending: (isSending) => {
      button.disabled = isSending;
      fill(button, t(isSending ? "create.sending" : "create.submit"));
    },
    showError: (sentence) => fill(alert, sentence ?? ""),
    showQuota: (given) => fill(quota, given ? t("create.quota", { left: given.left_today, most: given.per_day }) : ""),
  };
}

function valuesOf({ prompt, aspect, quality, n, negative_prompt: negative, seed }) {
  const number = (text) => (/^\d+$/.test(text) ? Number(text) : text);
  return {
    prompt: prompt.input.value.trim(),
    aspect: aspect.value(),
    quality: quality.value(),
    n: number(n.value()),
    negative_prompt: negative.input.value.trim(),
    seed: number(seed.input.value.trim()),
  };
}

function promptField(presets, draft) {
  const most = fieldOf(presets, "prompt").max_length;
  const counter = element("span", { class: "hint counter" });
  const made = field({
    name: "prompt", label: t("create.prompt"), tag: "textarea", rows: 3, maxlength: most, required: true,
    placeholder: t("create.prompt.example"), hint: t("create.prompt.hint"), aside: counter,
  });
  const count = () => fill(counter, most ? t("create.count", { used: made.input.value.length, most }) : "");
  made.input.value = draft.prompt ?? "";
  made.input.addEventListener("input", count);
  made.input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) made.input.form.requestSubmit();
  });
  count();
  return made;
}

function aspectChoice(presets, draft, onChange) {
  const options = presets.aspects.map((aspect) => ({ value: aspect.key, title: aspect.title, ratio: ratioOf(aspect) }));
  const chosen = pick(options, draft.aspect, fieldOf(presets, "aspect").default);
  return choice({ name: "aspect", legend: t("create.aspect"), options, chosen, onChange });
}

function qualityChoice(presets, draft) {
  const options = presets.qualities.map(({ key, title, steps, upscale }) => {
    const larger = upscale > 1 ? `, ${t("create.upscale", { upscale })}` : "";
    return { value: key, title, note: t("create.steps", { steps }) + larger };
  });
  const chosen = pick(options, draft.quality, fieldOf(presets, "quality").default);
  return choice({ name: "quality", legend: t("create.quality"), options, chosen });
}

function countChoice(presets, draft) {
  const { minimum = 1, maximum = 1, default: usual } = fieldOf(presets, "n");
  const options = Array.from({ length: maximum - minimum + 1 }, (_, index) => ({ value: minimum + index, title: String(minimum + index) }));
  return choice({ name: "n", legend: t("create.n"), options, chosen: pick(options, draft.n, usual), isCompact: true });
}

function negativeField(presets, draft) {
  const most = fieldOf(presets, "negative_prompt").max_length;
  const made = field({ name: "negative_prompt", label: t("create.negative"), tag: "textarea", rows: 2, maxlength: most });
  made.input.value = draft.negative_prompt ?? "";
  return made;
}

function seedField(presets, draft) {
  const made = field({ name: "seed", label: t("create.seed"), inputmode: "numeric", autocomplete: "off", hint: t("create.seed.hint") });
  made.input.value = draft.seed ?? "";
  return made;
}

/** The drafted value where it is still offered, else the API's default, else the first. */
function pick(options, drafted, usual) {
  const offered = (value) => options.some((option) => String(option.value) === String(value));
  return [drafted, usual].find(offered) ?? options[0]?.value;
}
