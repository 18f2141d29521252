import { element } from "../lib/dom.js";
import { t, tOr } from "../lib/text.js";
import { clockTime } from "../lib/time.js";

/** A job's history in words, oldest first. */
export function timeline(entries) {
  const items = entries.map(({ at, event, detail }) =>
    element(
      "li",
      {},
      element("time", { datetime: at }, clockTime(at)),
      element("span", {}, eventInWords(event), detail && element("small", {}, detail)),
    ),
  );
  return element(
    "section",
    { class: "timeline", "aria-label": t("job.timeline") },
    element("h2", {}, t("job.timeline")),
    element("ol", {}, items),
  );
}

/** An event that this site does not know yet is shown by its own name, made readable. */
function eventInWords(event) {
  const spaced = event.replaceAll("_", " ");
  return tOr(`event.${event}`, spaced.charAt(0).toUpperCase() + spaced.slice(1));
}
