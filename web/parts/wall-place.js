/**
 * Follows where a person is on a wall whose tiles carry `data-job`.
 *
 * `onPlace({job, offset})` hears the topmost tile in the window and how far under the window's top it stands, whenever
 * the page was scrolled. Ends with `signal`.
 */
export function followPlace({ list, onPlace, signal }) {
  let frame = null;
  const look = () => {
    frame = null;
    const tile = topmost(list);
    if (tile !== null) onPlace({ job: tile.dataset.job, offset: tile.getBoundingClientRect().top });
  };
  addEventListener("scroll", () => (frame ??= requestAnimationFrame(look)), { passive: true, signal });
  signal.addEventListener("abort", () => cancelAnimationFrame(frame), { once: true });
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
export function wayBackTo(list, { job, offset }, signal) {
  let isThere = false;
  const giveUp = () => (isThere = true);
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(type, giveUp, { passive: true, once: true, signal });
  return function again() {
    const tile = tileOf(list, job);
    if (isThere || !tile) return;
    const distance = () => tile.getBoundingClientRect().top - offset;
    scrollBy({ top: distance(), behavior: "instant" });
    isThere = Math.abs(distance()) < 1;
  };
}

/** Puts the keyboard on a tile, and the tile into the window. */
export function focusTile(list, job) {
  const tile = tileOf(list, job);
  tile?.querySelector("a").focus({ preventScroll: true });
  tile?.scrollIntoView({ block: "nearest", behavior: "instant" });
}

const tileOf = (list, job) => [...list.querySelectorAll("[data-job]")].find((tile) => tile.dataset.job === job);
