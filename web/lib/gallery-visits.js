import { listGallery } from "./api.js";
import { savePage } from "./breadcrumbs.js";

const PAGE = 24;
const MAX_PAGES = 20;
const MAX_VISITS = 3;

/**
 * The pages that one visit to the gallery has loaded: `{cursor, items, next}` in order, from the cursor `start` on.
 *
 * Only the latest pages are kept, and a job is never added twice. `position` is the scroll position: `{job, offset}`,
 * the id of the topmost job and its distance from the window's top in pixels. `opened` is the id of the job opened
 * last.
 */
class GalleryVisit {
  pages = [];
  position = null;
  opened = null;
  #cursors = new Map();

  constructor(id, start = null) {
    this.id = id;
    this.start = start;
  }

  /** Append a page. Returns the items that are new. */
  add({ cursor, items, next }) {
    const fresh = this.#addNew(items, cursor);
    this.pages.push({ cursor, items: fresh, next });
    if (this.pages.length > MAX_PAGES) this.start = this.pages.splice(0, 1)[0].next;
    return fresh;
  }

  /** Update a loaded page. Returns the new items, which are appended to it. */
  refresh({ cursor, items, next }) {
    const page = this.pages.find((candidate) => candidate.cursor === cursor);
    const fresh = this.#addNew(items, cursor);
    page.items.push(...fresh);
    page.next = next;
    return fresh;
  }

  get items() {
    return this.pages.flatMap(({ items }) => items);
  }

  /** The cursor of the next page; null at the end of the gallery, undefined before the first page is loaded. */
  get next() {
    return this.pages.at(-1)?.next;
  }

  find(job) {
    return this.items.find(({ job_id }) => job_id === job) ?? null;
  }

  /** Return the cursor of the page that held a job, even if the page was dropped; undefined for an unknown job. */
  cursorOf(job) {
    return this.#cursors.get(job);
  }

  /** Return the neighbours of a job, `{previous, next}`, each null at the end. */
  neighbours(job) {
    const items = this.items;
    const index = items.findIndex(({ job_id }) => job_id === job);
    if (index === -1) return { previous: null, next: null };
    return { previous: items[index - 1] ?? null, next: items[index + 1] ?? null };
  }

  /** Return the items that no earlier page had, and register them. */
  #addNew(items, cursor) {
    const fresh = items.filter(({ job_id }) => !this.#cursors.has(job_id));
    for (const { job_id } of fresh) this.#cursors.set(job_id, cursor);
    return fresh;
  }
}

/** The latest visits, so that going back shows the same pages. */
export class GalleryVisits {
  #visits = [];
  #newId;

  constructor(newId = () => crypto.randomUUID()) {
    this.#newId = newId;
  }

  /** Start a visit at a cursor. It replaces the visit with this id. */
  begin(start, id = this.#newId()) {
    return this.#keep(new GalleryVisit(id, start));
  }

  /** Return the visit with this id and make it the latest; null if it or its scroll position is no longer kept. */
  open(id) {
    const visit = this.#visits.find((candidate) => candidate.id === id);
    const isWhole = visit?.pages.length > 0 && (visit.position === null || visit.find(visit.position.job) !== null);
    return isWhole ? this.#keep(visit) : null;
  }

  /** Return the latest visit that holds this job, or null. */
  containing(job) {
    return this.#visits.find((visit) => visit.find(job) !== null) ?? null;
  }

  #keep(visit) {
    this.#visits = [visit, ...this.#visits.filter(({ id }) => id !== visit.id)].slice(0, MAX_VISITS);
    return visit;
  }
}

export const visits = new GalleryVisits();

/** Return the address of the gallery page at a cursor. */
export const galleryAddress = (cursor) => (cursor === null ? "/" : `/?after=${encodeURIComponent(cursor)}`);

/** Load the page at a cursor and append it to a visit. Resolves to `{items, next}`. */
export async function loadPage(visit, cursor, { signal }) {
  const page = await ask(cursor, signal);
  if (visit.pages.length > 0) savePage(cursor, visit.pages.at(-1).cursor);
  visit.add({ cursor, ...page });
  return page;
}

/** Reload the first page of a visit. Resolves to the new items. */
export async function refreshFirstPage(visit, { signal }) {
  return visit.refresh({ cursor: null, ...(await ask(null, signal)) });
}

/** Jobs without pictures (only a description) are left out. */
async function ask(cursor, signal) {
  const { items, next } = await listGallery({ cursor, limit: PAGE }, { signal });
  return { items: items.filter(({ images }) => images.length > 0), next };
}
