import { currentLocale } from "./i18n.js";

/** Return a span in the largest unit that is exact enough: `{unit: "second" | "minute" | "hour" | "day", count}`. */
function spanOf(seconds) {
  if (seconds < 90) return { unit: "second", count: Math.max(1, Math.round(seconds)) };
  if (seconds < 90 * 60) return { unit: "minute", count: Math.round(seconds / 60) };
  if (seconds < 36 * 3600) return { unit: "hour", count: Math.round(seconds / 3600) };
  return { unit: "day", count: Math.round(seconds / 86400) };
}

/** Return the span in words, "40 seconds". */
export function spanInWords(seconds, locale = currentLocale()) {
  const { unit, count } = spanOf(seconds);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** Return how long ago an ISO 8601 time was, "2 minutes ago". Clocks differ, so the future counts as now. */
export function timeAgo(iso, now = Date.now(), locale = currentLocale()) {
  const seconds = (now - Date.parse(iso)) / 1000;
  const { unit, count } = seconds < 1 ? { unit: "second", count: 0 } : spanOf(seconds);
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-count, unit);
}

/** Return the seconds between two ISO 8601 times; null if one is unknown. */
export function secondsBetween(from, to) {
  return from === null || to === null ? null : Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

/** Return the local time of day of an ISO 8601 time with seconds; with the date if it is not today. */
export function clockTime(iso, now = new Date(), locale = currentLocale()) {
  const time = new Date(iso);
  const isToday = time.toDateString() === now.toDateString();
  const style = isToday
    ? { timeStyle: "medium" }
    : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(locale, style).format(time);
}

/** Return the local date of an ISO 8601 time. */
export function dayOf(iso, locale = currentLocale()) {
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(iso));
}
