/**
 * Follow the scroll position in a list whose tiles carry `data-job`.
 *
 * `onPlace({job, offset})` is called after each scroll and once more when `signal` is aborted, because the last scroll
 * may not have been reported yet. It gets the topmost tile in the window and its distance from the window's top in
 * pixels.
 */
export function trackScrollPosition({ list, onPlace, signal }) {
  const report = () => {
    const tile = topmost(list);
    if (tile !== null) onPlace({ job: tile.dataset.job, offset: tile.getBoundingClientRect().top });
  };
  addEventListener("scroll", report, { passive: true, signal });
  signal.addEventListener("abort", report, { once: true });
}

/** Return the first tile in the window. Tiles are in reading order, so their lower edges are almost sorted. */
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
 * Return a function that scrolls the tile of a position back to its place.
 *
 * Call it after each page that is added, until the list is long enough or the user has scrolled. A missing tile changes
 * nothing.
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

/**
 * Focus a tile's link. Scrolls only if the tile is outside the window: a visible one, even if cut off, was left there.
 */
export function focusTile(list, job) {
  const tile = tileOf(list, job);
  if (!tile) return;
  tile.querySelector("a").focus({ preventScroll: true });
  const { top, bottom } = tile.getBoundingClientRect();
  if (bottom <= 0 || top >= innerHeight) tile.scrollIntoView({ block: "nearest", behavior: "instant" });
}

const tileOf = (list, job) => [...list.querySelectorAll("[data-job]")].find((tile) => tile.dataset.job === job);
