import { element } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { readNumber } from "../../lib/job-request.js";
import { isShown } from "../../lib/presets.js";
import { field } from "../field.js";
import { checkbox } from "./checkbox.js";

/** What a description may leave out, by the names of the generator protocol. */
const LEFT_OUT = ["mediums", "artists", "trendings", "movements"];

/**
 * Create the fields `describe` and `description`, and those inside `description` under their paths, so that the API's
 * errors find them.
 *
 * The options are shown when the checkbox is ticked.
 */
export function describeFields(presets, { describe, description: given }) {
  const options = isShown(presets, "description") ? optionFields(given ?? {}) : null;
  const fields = options?.fields ?? {};
  const show = (isOn) => {
    if (options) options.node.hidden = !isOn;
  };
  const made = checkbox({
    name: "describe",
    label: t("create.describe"),
    hint: t("create.describe.hint"),
    checked: describe === true,
    onChange: show,
  });
  show(made.value());
  if (options) made.node.append(options.node);
  return { describe: made, ...fields, ...(options ? { description: options.whole } : {}) };
}

function optionFields(given) {
  const number = (name) => {
    const made = field({
      name,
      label: t(`create.field.${name}`),
      inputmode: "numeric",
      autocomplete: "off",
      hint: t("create.usual.generator"),
    });
    made.input.value = given[name] ?? "";
    return { ...made, value: () => readNumber(made.input.value) };
  };
  const blip = number("blip_max_len");
  const clip = number("clip_max_len");
  const skip = checkbox({ name: "skip_clip", label: t("create.skip_clip"), checked: given.skip_clip === true });
  const leave = LEFT_OUT.map((key) =>
    checkbox({
      name: "skip_list",
      label: t(`create.skip_list.${key}`),
      checked: given.skip_list?.includes(key) ?? false,
    }),
  );
  const list = element(
    "fieldset",
    {},
    element("legend", {}, t("create.skip_list")),
    element(
      "div",
      { class: "ticks" },
      leave.map(({ node }) => node),
    ),
  );
  const node = element(
    "div",
    { class: "describe-options" },
    element("div", { class: "numbers" }, blip.node, clip.node),
    skip.node,
    list,
  );
  const value = () => {
    const named = { blip_max_len: blip.value(), clip_max_len: clip.value(), skip_clip: skip.value() };
    const left = LEFT_OUT.filter((_, index) => leave[index].value());
    const kept = Object.entries(named).filter(([, one]) => one !== null && one !== false);
    return kept.length + left.length > 0
      ? { ...Object.fromEntries(kept), ...(left.length > 0 ? { skip_list: left } : {}) }
      : null;
  };
  const whole = { ...skip, node, value };
  return {
    node,
    whole,
    fields: {
      "description.blip_max_len": blip,
      "description.clip_max_len": clip,
      "description.skip_clip": skip,
      "description.skip_list": leave[0],
    },
  };
}
