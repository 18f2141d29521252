import { currentLocale } from "./text.js";

/** A span in the largest unit that is still exact enough to wait by: `{unit: "second" | "minute" | "hour", count}`. */
export function spanOf(seconds) {
  if (seconds < 90) return { unit: "second", count: Math.max(1, Math.round(seconds)) };
  if (seconds < 90 * 60) return { unit: "minute", count: Math.round(seconds / 60) };
  return { unit: "hour", count: Math.round(seconds / 3600) };
}

/** The span in words, "40 seconds". */
export function spanInWords(seconds, locale = currentLocale()) {
  const { unit, count } = spanOf(seconds);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** The time of day of an ISO 8601 time, to the second, where the reader is. */
export function clockTime(iso, locale = currentLocale()) {
  return new Intl.DateTimeFormat(locale, { timeStyle: "medium" }).format(new Date(iso));
}

/** The day of an ISO 8601 time, where the reader is. */
export function dayOf(iso, locale = currentLocale()) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(iso));
}
