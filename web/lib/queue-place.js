import { currentLocale, t } from "./i18n.js";

/** Return the place of a queued job in words, in few with `inShort`; null if it has none. Estimates have three digits. */
export function placeInWords(job, { inShort = false } = {}) {
  const { state, queue_position: position, position_is_estimate: isEstimate } = job;
  if (state !== "queued" || position === null) return null;
  const kind = inShort ? "place" : "position";
  if (!isEstimate) return t(`job.${kind}`, { position });
  return t(`job.${kind}.about`, {
    position: new Intl.NumberFormat(currentLocale(), { maximumSignificantDigits: 3 }).format(position),
  });
}
