import { words } from "../text/en.js";

/** The words for a key; an entry that is a function is given `values`. A key without words is a mistake. */
export function t(key, values = {}) {
  const entry = words[key];
  if (entry === undefined) throw new RangeError(`no words for ${key}`);
  return typeof entry === "function" ? entry(values) : entry;
}

/** The words for a key that the server may know and this site may not yet: `spare` then stands in. */
export function tOr(key, spare, values = {}) {
  return Object.hasOwn(words, key) ? t(key, values) : spare;
}
