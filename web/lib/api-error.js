/**
 * The one error of the site's own API.
 *
 * `status` is the HTTP status, 0 when no answer came. `code` is the API's stable code, or "network" or "unreadable".
 * `fields` maps a field's name to what is wrong with it, in words; `reasons` maps it to `{code, limit}`, the same for
 * programs, where the answer gave that. `retryAfterMs` is null unless the answer said it.
 */
export class ApiError extends Error {
  constructor({ status, code, message = code, fields = {}, reasons = {}, retryAfterMs = null }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.reasons = reasons;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the request may have been carried out, or may succeed when it is sent once more. */
  get isPassing() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }

  /** Whether nothing was heard from the server at all. */
  get isNetwork() {
    return this.status === 0;
  }
}

/** Milliseconds asked for by a Retry-After header in either of its forms, or null. */
export function readRetryAfter(value, now = Date.now()) {
  if (value === null || value === undefined || value === "") return null;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** The error that an answer with a problem+json body (or with any other body) stands for. */
export function readProblem(status, body, retryAfter = null) {
  const problem = body !== null && typeof body === "object" ? body : {};
  const fields = {};
  const reasons = {};
  for (const { field, message, code, limit = null } of Array.isArray(problem.errors) ? problem.errors : []) {
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
    retryAfterMs: readRetryAfter(retryAfter),
  });
}
