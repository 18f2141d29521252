/** Return the time until the next attempt after `failures` failures in a row: doubled each time, up to `maxMs`. */
export const retryDelayMs = (failures, { startMs = 1_000, maxMs = 15_000 } = {}) =>
  Math.min(startMs * 2 ** (failures - 1), maxMs);
