import { element } from "../lib/dom.js";
import { timeAgo } from "../lib/time.js";

/** A time in words that follow the clock, "2 minutes ago", as long as `refreshRelativeTimes` is called now and then. */
export function relativeTime(iso) {
  return element("time", { class: "ago", datetime: iso }, timeAgo(iso));
}

/** Brings every such time inside a node up to date. */
export function refreshRelativeTimes(node) {
  for (const time of node.querySelectorAll("time.ago")) {
    const words = timeAgo(time.dateTime);
    if (time.textContent !== words) time.textContent = words;
  }
}
