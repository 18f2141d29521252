import { getActions, getPlaces } from "./api.js";
import { currentLocale } from "./i18n.js";

/** Fetch what scenes are put together from: `{places, actions, isOffered, isLikenessOffered}`. Rejects with an ApiError. */
export async function fetchCatalogue(options) {
  const [{ places, ...can }, { actions }] = await Promise.all([getPlaces(options), getActions(options)]);
  return { places, actions, isOffered: can.offered, isLikenessOffered: can.likeness_offered };
}

/** Return one of the catalogue's names in the language of the site. */
export const named = (names) => names[currentLocale().slice(0, 2)] ?? names.en;

/** Return a function that finds the address of a picture of a place in a catalogue. */
export const placePicture = (key, index) => (catalogue) =>
  catalogue.places.find((place) => place.key === key)?.pictures[index]?.url;

/** Return a function that finds the address of an action's mannequin in a catalogue. */
export const mannequin = (key, shot) => (catalogue) =>
  catalogue.actions.find((action) => action.key === key)?.shots.find((one) => one.shot === shot)?.url;

/**
 * Return a function that finds an address in a fresh catalogue, because those of an open page expire. Calls at the same
 * time share a request.
 */
export function renewal(options) {
  let fetching = null;
  return async (find) => {
    fetching ??= fetchCatalogue(options).finally(() => {
      fetching = null;
    });
    return find(await fetching);
  };
}
