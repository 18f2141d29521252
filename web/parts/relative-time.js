import { element } from "../lib/dom.js";
import { timeAgo } from "../lib/time.js";

/** Create a relative time, "2 minutes ago"; `refreshRelativeTimes` updates it. */
export function relativeTime(iso) {
  return element("time", { class: "ago", datetime: iso }, timeAgo(iso));
}

/** Update all relative times inside a node. */
export function refreshRelativeTimes(node) {
  for (const time of node.querySelectorAll("time.ago")) {
    const words = timeAgo(time.dateTime);
    if (time.textContent !== words) time.textContent = words;
  }
}
