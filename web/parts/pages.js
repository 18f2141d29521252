import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { announce } from "./announcer.js";
import { errorNotice } from "./message.js";

/** This many pages load automatically, then a button asks, so that the page's end can be reached. */
const BY_THEMSELVES = 5;
/** The distance below the window at which the next page is requested. */
const AHEAD = "1500px";

/**
 * Load a list page by page into `list`.
 *
 * `load(cursor)` resolves to `{items, next}`, `show(items, isFirst)` adds them; the list is busy until then.
 * `isEndless` also loads on scrolling. Returns `{node, start, offer}`: the place for button and errors, the function
 * that loads the first page (`from` a cursor), and the one that continues after pages already shown.
 */
export function pages({ list, load, show, signal, isEndless = false, explainFailure = errorNotice }) {
  const node = element("div", { class: "more" });
  let left = BY_THEMSELVES;

  async function step(cursor, isFirst) {
    const isByKeyboard = node.contains(document.activeElement);
    const before = list.children.length;
    fill(node, !isFirst && element("p", { class: "loading", role: "status" }, t("loading")));
    try {
      const { items, next } = await loadSome(cursor);
      list.removeAttribute("aria-busy");
      show(items, isFirst);
      offer(next);
      // A page may add to an item that is there already, as to a closed group.
      const added = list.children[before] ?? node;
      if (isByKeyboard) added.querySelector("a, button")?.focus({ preventScroll: true });
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (list.hasAttribute("aria-busy")) {
        list.removeAttribute("aria-busy");
        list.replaceChildren();
      }
      showFailure(error, () => step(cursor, isFirst));
    }
  }
  /** A search reads a part of a long list for each page, so that a page may be empty and not the last. */
  async function loadSome(cursor) {
    let page = await load(cursor);
    signal.throwIfAborted();
    while (page.items.length === 0 && page.next !== null) {
      page = await load(page.next);
      signal.throwIfAborted();
    }
    return page;
  }
  function offer(next) {
    if (next === null) return fill(node);
    const more = () => {
      left = BY_THEMSELVES;
      step(next, false);
    };
    fill(node, element("button", { type: "button", class: "button", on: { click: more } }, t("pages.more")));
    if (isEndless && left > 0) {
      whenNear(node, signal, () => {
        if (!node.querySelector("button")) return;
        left -= 1;
        step(next, false);
      });
    }
  }
  /** Retry when the network is back. */
  function showFailure(error, again) {
    const settled = new AbortController();
    const retry = () => {
      settled.abort();
      announce("");
      again();
    };
    fill(node, explainFailure(error, retry));
    if (error.isPassing) addEventListener("online", retry, { signal: AbortSignal.any([signal, settled.signal]) });
  }
  return { node, start: (from = null) => step(from, true), offer };
}

/** Call `action` once when `node` comes near the window. */
function whenNear(node, signal, action) {
  const target = node.firstElementChild;
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      if (target.isConnected) action();
    },
    { rootMargin: `${AHEAD} 0px` },
  );
  observer.observe(target);
  signal.addEventListener("abort", () => observer.disconnect(), { once: true });
}
