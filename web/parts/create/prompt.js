import { element, fill } from "../../lib/dom.js";
import { currentLocale, t } from "../../lib/i18n.js";
import { fieldOf } from "../../lib/presets.js";
import { field } from "../field.js";

const EXAMPLES = ["create.example.lighthouse", "create.example.fox", "create.example.market", "create.example.orchard"];

/** Create the prompt field with its counter, examples and help. Returns a field with `setNeeded`. */
export function promptField(presets, { prompt = "" }) {
  const most = fieldOf(presets, "prompt").max_length;
  const counter = element("span", { class: "hint counter" });
  const made = field({
    name: "prompt",
    label: t("create.prompt"),
    tag: "textarea",
    rows: 3,
    required: true,
    placeholder: t("create.prompt.example"),
    hint: t("create.prompt.hint"),
    aside: counter,
  });
  const { input } = made;
  const suggestions = examples((words) => {
    input.value = words;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });
  const keepInStep = () => {
    count(counter, input.value, most);
    suggestions.hidden = input.value.trim() !== "";
  };
  input.value = prompt;
  input.addEventListener("input", keepInStep);
  keepInStep();
  made.node.append(element("div", { class: "prompt-below" }, suggestions, help()));
  const setNeeded = (isNeeded) => {
    input.required = isNeeded;
    made.showHint(t(isNeeded ? "create.prompt.hint" : "create.prompt.free"));
  };
  return { ...made, value: () => input.value.trim(), setNeeded };
}

/** Count code points like the API, and show an excess before it is sent. */
function count(counter, text, most) {
  const used = [...text].length;
  const isOver = used > most;
  const number = new Intl.NumberFormat(currentLocale());
  const values = { used: number.format(used), most: number.format(most), over: number.format(used - most) };
  counter.classList.toggle("is-over", isOver);
  fill(counter, most ? t(isOver ? "create.count.over" : "create.count", values) : "");
}

function examples(onChoose) {
  const buttons = EXAMPLES.map((key) =>
    element("button", { type: "button", class: "chip", on: { click: () => onChoose(t(key)) } }, t(key)),
  );
  const label = element("span", { class: "hint" }, t("create.examples"));
  return element("div", { class: "examples", role: "group", "aria-label": t("create.examples") }, label, buttons);
}

const KINDS = ["more", "most", "less", "mix"];

/** Explain brackets and `|`, each with an example set in the matching weight. */
function help() {
  const rows = KINDS.map((kind) =>
    element(
      "div",
      { "data-kind": kind },
      element("dt", {}, element("code", {}, marked(t(`create.help.${kind}.example`)))),
      element("dd", {}, t(`create.help.${kind}`)),
    ),
  );
  return element(
    "details",
    { class: "prompt-help" },
    element("summary", {}, t("create.help")),
    element("dl", {}, rows),
    element("p", { class: "hint" }, t("create.help.nest")),
  );
}

/** Return an example with the bracketed part, or the bar, emphasised. */
function marked(example) {
  const [, before, mark, after] = /^(.*?)(\(.*\)|\[.*\]|\|)(.*)$/s.exec(example);
  return [before, element("strong", {}, mark), after];
}
