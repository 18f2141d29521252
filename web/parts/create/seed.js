import { element } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { readNumber } from "../../lib/job-request.js";
import { fieldOf } from "../../lib/presets.js";
import { field } from "../field.js";

/** Create the seed field with a button for a random seed. */
export function seedField(presets, { seed }) {
  const { minimum = 0, maximum = 2 ** 32 - 1 } = fieldOf(presets, "seed");
  const face = element("span", { class: "dice-face", "aria-hidden": "true" });
  const dice = element("button", { type: "button", class: "button dice" }, face, t("create.seed.dice"));
  const made = field({
    name: "seed",
    label: t("create.seed"),
    inputmode: "numeric",
    autocomplete: "off",
    hint: t("create.seed.hint"),
    beside: dice,
  });
  made.input.value = seed ?? "";
  dice.addEventListener("click", () => {
    made.input.value = throwDice(minimum, maximum);
    made.input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return { ...made, value: () => readNumber(made.input.value) };
}

function throwDice(minimum, maximum) {
  const [chance] = crypto.getRandomValues(new Uint32Array(1));
  return minimum + Math.floor((chance / 2 ** 32) * (maximum - minimum + 1));
}
