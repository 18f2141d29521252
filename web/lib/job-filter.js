/** The states to filter by, in the order in which they are offered; null means all. */
export const STATES = [null, "succeeded", "generating", "queued", "failed", "cancelled"];
/** The API's limit. */
export const MAX_SEARCH_LENGTH = 200;

/** Return the filter in the address's query: `{state, q}`, null for values that are missing or invalid. */
export function readFilter(query) {
  const state = query.get("state");
  const q = [...(query.get("q") ?? "").trim()].slice(0, MAX_SEARCH_LENGTH).join("").trim();
  return { state: STATES.includes(state) ? state : null, q: q === "" ? null : q };
}

/** Return the path whose query `readFilter` reads back. */
export function filterPath({ state, q }) {
  const query = new URLSearchParams(Object.entries({ state, q }).filter(([, value]) => value !== null));
  return query.size > 0 ? `/pictures?${query}` : "/pictures";
}

/** Whether a job passes a filter. Each word must occur in its prompt, in any case. */
export function matchesFilter({ state, prompt }, filter) {
  const text = prompt.toLowerCase();
  const words = (filter.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return (filter.state === null || filter.state === state) && words.every((word) => text.includes(word));
}
