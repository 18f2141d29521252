import { t, tOr } from "./i18n.js";
import { spanInWords } from "./time.js";

/** Return an ApiError as a sentence for users. Rethrows any other error: it is a bug of the site. */
export function errorText(error) {
  if (error.name !== "ApiError") throw error;
  const known = tOr(`error.${error.code}`, null);
  if (known !== null) return known;
  if (Object.keys(error.fields).length > 0) return t("error.field");
  if (error.status === 429) return t("error.busy", { span: spanInWords((error.retryAfterMs ?? 60_000) / 1000) });
  if (error.status >= 500) return t("error.server");
  return t("error.other", { detail: error.message });
}

/** Return a message of the API ("is too long") as a sentence. */
export function asSentence(remark) {
  const [first = "", ...rest] = remark.trim();
  return first.toUpperCase() + rest.join("") + (/[.!?]$/.test(remark.trim()) ? "" : ".");
}

/** Whether the error only means that the view was left, so that it need not be shown. */
export const isAborted = (error, signal) => signal.aborted || error.name === "AbortError";
