/** The states that the list can be cut down to, in the order in which they are offered; null is all. */
export const STATES = [null, "succeeded", "generating", "queued", "failed", "cancelled"];
/** The API takes no longer search than this. */
export const MAX_SEARCH_LENGTH = 200;

/** What a query of the address asks for: `{state, q}`, null where it asks for nothing that there is. */
export function readFilter(query) {
  const state = query.get("state");
  const q = [...(query.get("q") ?? "").trim()].slice(0, MAX_SEARCH_LENGTH).join("").trim();
  return { state: STATES.includes(state) ? state : null, q: q === "" ? null : q };
}

/** The path with its query that `readFilter` reads back. */
export function filterPath({ state, q }) {
  const query = new URLSearchParams(Object.entries({ state, q }).filter(([, value]) => value !== null));
  return query.size > 0 ? `/pictures?${query}` : "/pictures";
}

/** Whether a job belongs to what a filter shows. The words may stand anywhere in its prompt, in any case. */
export function matchesFilter({ state, prompt }, filter) {
  const text = prompt.toLowerCase();
  const words = (filter.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return (filter.state === null || filter.state === state) && words.every((word) => text.includes(word));
}
