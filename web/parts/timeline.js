import { element } from "../lib/dom.js";
import { t, tOr } from "../lib/i18n.js";
import { clockTime } from "../lib/time.js";
import { reasonInWords } from "./reason.js";
import { relativeTime } from "./relative-time.js";

/**
 * Create a job's timeline, oldest first: exact time, event, how often if it has repeated, and reason. The first and last
 * entries also show how long ago.
 */
export function timeline(entries) {
  const isEnd = (index) => index === 0 || index === entries.length - 1;
  const items = entries.map((entry, index) =>
    element(
      "li",
      { "data-event": entry.event },
      element("time", { datetime: entry.at }, clockTime(entry.at)),
      element(
        "div",
        {},
        eventInWords(entry.event),
        entry.count > 1 && [" ", t("job.repeated", { count: entry.count })],
        isEnd(index) && [" ", relativeTime(entry.at)],
        reason(entry),
      ),
    ),
  );
  return element(
    "section",
    { class: "timeline", "aria-label": t("job.timeline") },
    element("h2", {}, t("job.timeline")),
    element("ol", {}, items),
  );
}

function reason(entry) {
  return (entry.code || entry.detail) && element("small", {}, reasonInWords(entry));
}

/** Return the text of an event; one without a text is shown by its name. */
function eventInWords(event) {
  const spaced = event.replaceAll("_", " ");
  return tOr(`event.${event}`, spaced.charAt(0).toUpperCase() + spaced.slice(1));
}
