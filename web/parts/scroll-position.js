/**
 * Follows the scroll position on a wall whose tiles carry `data-job`.
 *
 * `onPlace({job, offset})` is called after each scroll and once more when `signal` is aborted, because the last scroll
 * may not have been reported yet. It gets the topmost tile in the window and its distance from the window's top in pixels.
 */
export function trackScrollPosition({ list, onPlace, signal }) {
  const report = () => {
    const tile = topmost(list);
    if (tile !== null) onPlace({ job: tile.dataset.job, offset: tile.getBoundingClientRect().top });
  };
  addEventListener("scroll", report, { passive: true, signal });
  signal.addEventListener("abort", report, { once: true });
}

/** The first tile that reaches into the window. Tiles hang in reading order, so their lower edges hardly ever go back up. */
function topmost(list) {
  const tiles = list.querySelectorAll("[data-job]");
  let low = 0;
  let high = tiles.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tiles[middle].getBoundingClientRect().bottom > 0) high = middle;
    else low = middle + 1;
  }
  return tiles[low] ?? null;
}

/**
 * Brings the tile of `place` back to where it stood, when `again()` is called: once more for each page that comes, until
 * the wall is high enough for it or the person has moved. A tile that is gone changes nothing.
 */
export function scrollRestorer(list, { job, offset }, signal) {
  let isThere = false;
  const giveUp = () => {
    isThere = true;
  };
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"])
    addEventListener(type, giveUp, { passive: true, once: true, signal });
  return function again() {
    const tile = tileOf(list, job);
    if (isThere || !tile) return;
    const distance = () => tile.getBoundingClientRect().top - offset;
    scrollBy({ top: distance(), behavior: "instant" });
    isThere = Math.abs(distance()) < 1;
  };
}

/** Focuses a tile's link. Scrolls only to a tile outside the window: one in view, even cut off, was left where it is. */
export function focusTile(list, job) {
  const tile = tileOf(list, job);
  if (!tile) return;
  tile.querySelector("a").focus({ preventScroll: true });
  const { top, bottom } = tile.getBoundingClientRect();
  if (bottom <= 0 || top >= innerHeight) tile.scrollIntoView({ block: "nearest", behavior: "instant" });
}

const tileOf = (list, job) => [...list.querySelectorAll("[data-job]")].find((tile) => tile.dataset.job === job);
