/** A span in the largest unit that is still exact enough to wait by: `{unit: "second" | "minute" | "hour", count}`. */
export function spanOf(seconds) {
  if (seconds < 90) return { unit: "second", count: Math.max(1, Math.round(seconds)) };
  if (seconds < 90 * 60) return { unit: "minute", count: Math.round(seconds / 60) };
  return { unit: "hour", count: Math.round(seconds / 3600) };
}

/** The span in the words of a language, "40 seconds". */
export function spanInWords(seconds, language = "en") {
  const { unit, count } = spanOf(seconds);
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** The time of day of an ISO 8601 time, to the second, where the reader is. */
export function clockTime(iso, language = "en-GB") {
  return new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(new Date(iso));
}

/** The day of an ISO 8601 time, where the reader is. */
export function dayOf(iso, language = "en-GB") {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(iso));
}
