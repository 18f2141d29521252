import { listGallery } from "./api.js";
import { savePage } from "./breadcrumbs.js";

const PAGE = 24;
const MAX_PAGES = 20;
const MAX_VISITS = 3;

/**
 * What one visit to the gallery has loaded: pages `{cursor, items, next}` in the order of the wall, from `start` (the
 * cursor of the first) on. Only the latest pages are kept; a job that is on the wall already does not come twice.
 *
 * `place` is where the person was: `{job, offset}`, a job's id and how far under the window's top its tile stood.
 * `opened` is the id of the job whose page was looked at last.
 */
export class GalleryVisit {
  pages = [];
  position = null;
  opened = null;
  #cursors = new Map();

  constructor(id, start = null) {
    this.id = id;
    this.start = start;
  }

  /** Adds a page below; answers the items that are new. */
  add({ cursor, items, next }) {
    const fresh = this.#addNew(items, cursor);
    this.pages.push({ cursor, items: fresh, next });
    if (this.pages.length > MAX_PAGES) this.start = this.pages.splice(0, 1)[0].next;
    return fresh;
  }

  /** Brings a page up to date that has been asked for again; answers the items that are new, which hang behind the others. */
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

  /** The cursor of the page below; null at the end of the gallery, undefined before anything was loaded. */
  get next() {
    return this.pages.at(-1)?.next;
  }

  find(job) {
    return this.items.find(({ job_id }) => job_id === job) ?? null;
  }

  /** The cursor of the page on which a job hung, kept or not; undefined for a job that never did. */
  cursorOf(job) {
    return this.#cursors.get(job);
  }

  /** The jobs on both sides: `{previous, next}`, each null where there is none. */
  neighbours(job) {
    const items = this.items;
    const index = items.findIndex(({ job_id }) => job_id === job);
    if (index === -1) return { previous: null, next: null };
    return { previous: items[index - 1] ?? null, next: items[index + 1] ?? null };
  }

  /** Those of the items that were on no page before. */
  #addNew(items, cursor) {
    const fresh = items.filter(({ job_id }) => !this.#cursors.has(job_id));
    for (const { job_id } of fresh) this.#cursors.set(job_id, cursor);
    return fresh;
  }
}

/** The walls of the latest visits, so that going back finds the same one. */
export class GalleryVisits {
  #visits = [];
  #newId;

  constructor(newId = () => crypto.randomUUID()) {
    this.#newId = newId;
  }

  /** A wall that begins at a cursor, in place of the one that had this id. */
  begin(start, id = this.#newId()) {
    return this.#keep(new GalleryVisit(id, start));
  }

  /** The wall of this id with the place where the person was, which is the latest from now on; null when that is not kept. */
  open(id) {
    const visit = this.#visits.find((candidate) => candidate.id === id);
    const isWhole = visit?.pages.length > 0 && (visit.position === null || visit.find(visit.position.job) !== null);
    return isWhole ? this.#keep(visit) : null;
  }

  /** The latest wall on which this job hangs, or null. */
  containing(job) {
    return this.#visits.find((visit) => visit.find(job) !== null) ?? null;
  }

  #keep(visit) {
    this.#visits = [visit, ...this.#visits.filter(({ id }) => id !== visit.id)].slice(0, MAX_VISITS);
    return visit;
  }
}

export const visits = new GalleryVisits();

/** The address of the gallery from a page on. */
export const galleryAddress = (cursor) => (cursor === null ? "/" : `/?after=${encodeURIComponent(cursor)}`);

/** Asks for the page of a cursor and hangs it below the others of a wall. Answers `{items, next}`. */
export async function loadPage(visit, cursor, { signal }) {
  const page = await ask(cursor, signal);
  if (visit.pages.length > 0) savePage(cursor, visit.pages.at(-1).cursor);
  visit.add({ cursor, ...page });
  return page;
}

/** Asks again for the first page of a wall; answers the items that are new. */
export async function refreshFirstPage(visit, { signal }) {
  return visit.refresh({ cursor: null, ...(await ask(null, signal)) });
}

/** A job that only described a picture has none to hang. */
async function ask(cursor, signal) {
  const { items, next } = await listGallery({ cursor, limit: PAGE }, { signal });
  return { items: items.filter(({ images }) => images.length > 0), next };
}
