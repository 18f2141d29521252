const NAME = "easel.gallery";
const MOST = 60;

/**
 * The part of the gallery's state that survives a reload: the order of pages and the scroll position of a visit.
 *
 * `storage` is sessionStorage or compatible. Unreadable or full storage is treated as empty.
 */
export function savePage(cursor, before, storage = sessionStorage) {
  const { pages, place } = read(storage);
  const others = pages.filter(([known]) => known !== cursor);
  write({ pages: [...others, [cursor, before]].slice(-MOST), place }, storage);
}

/** Return the cursor of the page before this one; null for the first page or when it is unknown. */
export function previousPage(cursor, storage = sessionStorage) {
  return read(storage).pages.find(([known]) => known === cursor)?.[1] ?? null;
}

export function savePosition(visit, position, storage = sessionStorage) {
  write({ ...read(storage), place: { visit, ...position } }, storage);
}

/** Return the scroll position of a visit, `{job, offset}`, or null. */
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
    // A full storage only loses the position after a reload.
  }
}
