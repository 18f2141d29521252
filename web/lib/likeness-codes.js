/** A picture may have so many likenesses. */
const MOST_CODES = 3;
const DIGITS = 8;

/** Return the codes in a text that a user has typed or pasted, in groups of digits or not; the last may be incomplete. */
export function readCodes(text) {
  return [...new Set(text.replaceAll(/[\s,;]/g, "").match(new RegExp(`.{1,${DIGITS}}`, "gu")) ?? [])];
}

/** Return how a field shows codes. */
export const showCodes = (codes) => codes.join(", ");

/** Return the codes of a draft or of a job's settings: a code, or a list of codes or of `{code, weight}`. */
export const codesOf = (likeness) => usesOf(likeness).map(({ code }) => code);

/**
 * Return the value for the API's field `likeness`: null, a code, or a list. Codes that `given` has with a weight keep
 * it.
 */
export function likenessOf(codes, given = null) {
  const known = new Map(usesOf(given).map((use) => [use.code, use]));
  const uses = codes.map((code) => known.get(code) ?? { code });
  if (uses.every(({ weight }) => weight === undefined)) return codes.length > 1 ? codes : (codes[0] ?? null);
  return uses;
}

/** Return why codes cannot be sent, `{code, limit}` with the API's limit, or null. */
export function checkCodes(codes) {
  if (codes.some((code) => !/^\d{8}$/.test(code))) return { code: "no_code", limit: null };
  return codes.length > MOST_CODES ? { code: "too_many", limit: MOST_CODES } : null;
}

function usesOf(likeness) {
  const listed = [likeness ?? []].flat().map((one) => (typeof one === "string" ? { code: one } : one));
  return listed.filter((one) => typeof one?.code === "string" && one.code !== "");
}
