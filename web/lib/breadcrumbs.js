const NAME = "easel.gallery";
const MOST = 60;

/**
 * What outlives a reload of the gallery: which page came before which, and where on which wall the person was.
 * `storage` is sessionStorage or alike; what cannot be read or kept there counts as not known.
 */
export function savePage(cursor, before, storage = sessionStorage) {
  const { pages, place } = read(storage);
  const others = pages.filter(([known]) => known !== cursor);
  write({ pages: [...others, [cursor, before]].slice(-MOST), place }, storage);
}

/** The cursor of the page before this one; null for the start, which is also the answer when it is not known. */
export function previousPage(cursor, storage = sessionStorage) {
  return read(storage).pages.find(([known]) => known === cursor)?.[1] ?? null;
}

export function savePosition(visit, position, storage = sessionStorage) {
  write({ ...read(storage), place: { visit, ...position } }, storage);
}

/** Where the person was on the wall of this id: `{job, offset}`, or null. */
export function savedPosition(visit, storage = sessionStorage) {
  const { place } = read(storage);
  return place !== null && place.visit === visit ? { job: place.job, offset: place.offset } : null;
}

function read(storage) {
  try {
    const { pages, place } = JSON.parse(storage.getItem(NAME));
    return { pages: Array.isArray(pages) ? pages : [], place: place ?? null };
  } catch {
    return { pages: [], place: null };
  }
}

function write(value, storage) {
  try {
    storage.setItem(NAME, JSON.stringify(value));
  } catch {
    // A full storage only costs the way back after a reload.
  }
}
