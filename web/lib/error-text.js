import { t, tOr } from "./i18n.js";
import { spanInWords } from "./time.js";

/** An ApiError in a sentence for a person. Any other error is a mistake in the site and is thrown on. */
export function errorText(error) {
  if (error.name !== "ApiError") throw error;
  const known = tOr(`error.${error.code}`, null);
  if (known !== null) return known;
  if (Object.keys(error.fields).length > 0) return t("error.field");
  if (error.status === 429) return t("error.busy", { span: spanInWords((error.retryAfterMs ?? 60_000) / 1000) });
  if (error.status >= 500) return t("error.server");
  return t("error.other", { detail: error.message });
}

/** A remark of the API ("is too long") as a sentence of its own. */
export function asSentence(remark) {
  const [first = "", ...rest] = remark.trim();
  return first.toUpperCase() + rest.join("") + (/[.!?]$/.test(remark.trim()) ? "" : ".");
}

/** Whether an error only says that the view was left meanwhile, so that nobody needs to hear of it. */
export const isAborted = (error, signal) => signal.aborted || error.name === "AbortError";
