import { element } from "../lib/dom.js";
import { t } from "../lib/text.js";

/** What a job was made with, as a list of names and values; the size is the picture's own once there is one. */
export function recipe(settings, image = settings) {
  const rows = [
    ["recipe.size", t("recipe.size.value", image)],
    ["recipe.quality", settings.quality],
    ["recipe.steps", settings.steps],
    ["recipe.scale", settings.scale],
    ["recipe.seed", settings.seed],
    ["recipe.negative_prompt", settings.negative_prompt],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  const pairs = rows.map(([key, value]) => element("div", {}, element("dt", {}, t(key)), element("dd", {}, String(value))));
  return element("dl", { class: "recipe", "aria-label": t("job.settings") }, pairs);
}
