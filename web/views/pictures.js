import { holdWhileLost } from "../lib/connection.js";
import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { filterPath, readFilter } from "../lib/job-filter.js";
import { jobBrowser } from "../parts/job-browser.js";
import { picturesFilter } from "../parts/pictures-filter.js";
import { deletions } from "../parts/undo-bar.js";

/** All jobs of the user, newest first; the address holds the filter. */
export function picturesView({ query, signal }) {
  const place = element("div", { class: "cabinet-stage" });
  let showing = new AbortController();

  function show(filter) {
    showing.abort();
    showing = new AbortController();
    const shown = AbortSignal.any([signal, showing.signal]);
    const made = jobBrowser({
      filter,
      signal: shown,
      onLost: holdWhileLost(shown),
      showAll: () => choose({ state: null, q: null }),
    });
    // The former list stays until the new one is ready, so that the page does not jump while typing.
    place.classList.add("is-stale");
    made.ready.then(() => place.classList.remove("is-stale") ?? fill(place, made.node));
    if (place.childElementCount === 0) fill(place, made.node);
  }
  /** Each choice is a history entry; typing is one entry, not one per pause. */
  function choose(filter, { isTyping = false } = {}) {
    const isSameStep = isTyping && history.state === "typing";
    history[isSameStep ? "replaceState" : "pushState"](isTyping ? "typing" : null, "", filterPath(filter));
    if (!isTyping) search.show(filter);
    show(filter);
  }
  const search = picturesFilter({ filter: readFilter(query), onChange: choose, signal });
  // Send pending deletions when the view is left.
  signal.addEventListener("abort", () => deletions.flush(), { once: true });
  show(readFilter(query));
  const head = element(
    "div",
    { class: "cabinet-head" },
    element("h1", { class: "display" }, t("pictures.heading")),
    search.node,
  );
  return { title: t("pictures.title"), node: element("div", { class: "page" }, head, place) };
}
