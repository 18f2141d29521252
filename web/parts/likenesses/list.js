import { listLikenesses } from "../../lib/api.js";
import { element } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { pages } from "../pages.js";
import { likenessCard } from "./card.js";

const PAGE = 20;
/** Trainings whose answers the server holds until they change; a browser has few connections to one site. */
const MOST_HELD = 2;

/**
 * Create the list of the user's likenesses, newest first.
 *
 * Returns `{node, load, add}`: `load()` fetches the first page and rejects if it cannot, `add(likeness)` shows a new one.
 * `canUse` says whether this site's generators can draw likenesses.
 */
export function likenessList({ canUse, signal }) {
  const heading = element("h2", { tabindex: -1 }, t("likenesses.yours"));
  const list = element("ul", { class: "likeness-list", "aria-label": t("likenesses.yours") });
  const empty = element("p", { class: "hint" }, t("likenesses.none"));
  const more = pages({ list, load: ask, show, signal });
  const followed = new Set();
  const cards = new Map();
  const node = element("section", { class: "likeness-section" }, heading, empty, list, more.node);

  const showEmpty = () => {
    empty.hidden = list.children.length > 0;
  };
  function card(likeness) {
    const made = likenessCard(likeness, {
      canUse,
      signal,
      follow: (jobId, isFollowed) => (isFollowed ? followed.add(jobId) : followed.delete(jobId)),
      mayHold: () => followed.size <= MOST_HELD,
      onGone: () => {
        cards.delete(likeness.code);
        showEmpty();
        heading.focus();
      },
    });
    cards.set(likeness.code, made);
    return made;
  }
  async function ask(cursor = null) {
    const { likenesses: items, next } = await listLikenesses({ cursor, limit: PAGE }, { signal });
    return { items, next };
  }
  function show(likenesses) {
    list.append(...likenesses.map((likeness) => card(likeness).node));
    showEmpty();
  }
  async function load() {
    const { items, next } = await ask();
    signal.throwIfAborted();
    show(items);
    more.offer(next);
  }
  function add(likeness) {
    // A submit whose answer was not awaited is repeated with the same answer.
    if (!cards.has(likeness.code)) list.prepend(card(likeness).node);
    showEmpty();
    cards.get(likeness.code).focus();
  }
  return { node, load, add };
}
