/**
 * An error of the site's API.
 *
 * `status` is the HTTP status, or 0 without an answer. `code` is the API's stable code, "network" or "unreadable".
 * `fields` maps field names to their first messages, `reasons` maps them to `{code, limit}` where the answer has them;
 * `codes` maps them to the codes of everything that is wrong with them.
 * `retryAfterMs` is null unless the server sent Retry-After.
 */
export class ApiError extends Error {
  constructor({ status, code, message = code, fields = {}, reasons = {}, codes = {}, retryAfterMs = null }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.reasons = reasons;
    this.codes = codes;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether a retry may succeed. The request may have been carried out already. */
  get isPassing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }

  /** Whether the server sent no answer at all. */
  get isNetwork() {
    return this.status === 0;
  }
}

/** Return the milliseconds of a Retry-After header (seconds or a date), or null. */
export function readRetryAfter(value, now = Date.now()) {
  if (value === null || value === undefined || value === "") return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** Return the ApiError for an answer, with or without a problem+json body. */
export function readProblem(status, body, retryAfter = null) {
  const problem = body !== null && typeof body === "object" ? body : {};
  const fields = {};
  const reasons = {};
  const codes = {};
  for (const { field, message, code, limit = null } of Array.isArray(problem.errors) ? problem.errors : []) {
    if (code) codes[field] = [...(codes[field] ?? []), code];
    if (field in fields) continue;
    fields[field] = message;
    if (code) reasons[field] = { code, limit };
  }
  return new ApiError({
    status,
    code: typeof problem.code === "string" ? problem.code : `http_${status}`,
    message: problem.detail || problem.title || `HTTP ${status}`,
    fields,
    reasons,
    codes,
    retryAfterMs: readRetryAfter(retryAfter),
  });
}
