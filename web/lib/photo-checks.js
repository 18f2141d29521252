/** Whether a look at the photos would tell more: one is new, or is like another one that may be gone by now. */
const isOpen = ({ state, error }) =>
  state === "ready" || (state === "refused" && error.codes.includes("photo_repeated"));

/**
 * Have the photos of a StartPictures looked at as they come. They are sent together, since one may show the same as another.
 *
 * `check({photos, subject}, {signal})` resolves if all are good, and rejects with an ApiError otherwise; `subject()` is what
 * they show. A check without a judgement is not repeated before something changes: a submit judges, too.
 * Another subject is another judgement: who changes it calls `photos.unjudge()`.
 */
export function checkAsTheyCome(photos, { check, subject, signal }) {
  let asked = null;
  let isAsking = false;

  async function look() {
    if (isAsking) return;
    isAsking = true;
    while (!signal.aborted && photos.items.some(isOpen)) {
      const body = { photos: photos.keys(), subject: subject() };
      if (JSON.stringify(body) === asked) break;
      asked = JSON.stringify(body);
      const refused = await refusedBy(body);
      if (refused && !signal.aborted && body.subject === subject()) photos.judge(body.photos, refused);
    }
    isAsking = false;
  }
  async function refusedBy(body) {
    try {
      await check(body, { signal });
      return {};
    } catch (error) {
      return refusedPhotos(body.photos, error);
    }
  }
  photos.addEventListener("change", look, { signal });
  look();
}

/** Return what an ApiError says about single photos of these keys, as `{key: codes}`, or null if nothing. */
export function refusedPhotos(keys, { codes = {} }) {
  const places = keys.map((key, place) => [key, codes[`photos.${place}`]]).filter(([, found]) => found);
  return places.length === 0 ? null : Object.fromEntries(places);
}
