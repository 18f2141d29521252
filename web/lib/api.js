import { ApiError, readProblem, readRetryAfter } from "./api-error.js";
import { connection } from "./connection.js";

/** Longer than the 20 seconds for which the server may hold an answer. */
const TIMEOUT_MS = 35_000;

/**
 * Send one request to the API. Only this function of the site does so; the session cookie is sent along.
 *
 * Resolves to `{status, data, etag, retryAfterMs}`; `data` is null without a body (204, 304). Rejects with an ApiError,
 * or with the reason of `signal` when it is aborted. With `keepalive` the request outlives the page.
 */
async function call(method, path, { body, headers = {}, signal, keepalive = false } = {}) {
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  const options = {
    method,
    headers: { ...headers },
    credentials: "same-origin",
    keepalive,
    signal: AbortSignal.any(signals),
  };
  if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  let text;
  try {
    response = await fetch(path, options);
    text = await response.text();
  } catch {
    signal?.throwIfAborted();
    connection.requestFailed();
    throw new ApiError({ status: 0, code: "network" });
  }
  connection.requestAnswered();
  const data = readJson(text);
  const retryAfter = response.headers.get("Retry-After");
  if (!response.ok && response.status !== 304) throw readProblem(response.status, data, retryAfter);
  if (data === undefined) throw new ApiError({ status: 0, code: "unreadable" });
  return {
    status: response.status,
    data,
    etag: response.headers.get("ETag"),
    retryAfterMs: readRetryAfter(retryAfter),
  };
}

/** Return the parsed JSON, null for an empty text, undefined for invalid JSON. */
function readJson(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withQuery(path, values) {
  const query = new URLSearchParams(
    Object.entries(values).filter(([, value]) => value !== null && value !== undefined),
  );
  return query.size ? `${path}?${query}` : path;
}

const galleryPath = (id) => `/v1/gallery/${encodeURIComponent(id)}`;
const batchPath = (id) => `/v1/batches/${encodeURIComponent(id)}`;
const jobPath = (id) => `/v1/jobs/${encodeURIComponent(id)}`;
const likenessPath = (code) => `/v1/likenesses/${encodeURIComponent(code)}`;
const data = (answer) => answer.data;

export const getMe = (options) => call("GET", "/v1/me", options).then(data);
export const changeMe = (body, options) => call("PATCH", "/v1/me", { ...options, body }).then(data);
export const deleteMe = (body, options) => call("DELETE", "/v1/me", { ...options, body });
export const getWebhookSecret = (options) => call("GET", "/v1/me/webhook-secret", options).then(data);
export const getPushKey = (options) => call("GET", "/v1/me/push", options).then(data);
export const addPush = (body, options) => call("POST", "/v1/me/push", { ...options, body });
export const removePush = (body, options) => call("DELETE", "/v1/me/push", { ...options, body });
export const signUp = (body, options) => call("POST", "/v1/signup", { ...options, body });
export const logIn = (body, options) => call("POST", "/v1/login", { ...options, body });
export const changePassword = (body, options) => call("POST", "/v1/me/password", { ...options, body });
export const changeEmail = (body, options) => call("POST", "/v1/me/email", { ...options, body });
export const requestConfirmation = (options) => call("POST", "/v1/me/confirmation", options);
export const confirmEmail = (body, options) => call("POST", "/v1/verify", { ...options, body });
export const listSessions = ({ cursor, limit }, options) =>
  call("GET", withQuery("/v1/sessions", { cursor, limit }), options).then(data);
export const endSessionOf = (id, options) => call("DELETE", `/v1/sessions/${encodeURIComponent(id)}`, options);
export const endOtherSessions = (options) => call("DELETE", "/v1/sessions", options);
export const listExports = (options) => call("GET", "/v1/exports", options).then(data);
export const requestExport = (options) => call("POST", "/v1/exports", options).then(data);
export const listIdentities = (options) => call("GET", "/v1/me/identities", options).then(data);
export const connectIdentity = (body, options) => call("POST", "/v1/me/identities", { ...options, body }).then(data);
export const disconnectIdentity = (id, options) =>
  call("DELETE", `/v1/me/identities/${encodeURIComponent(id)}`, options);
export const requestReset = (body, options) => call("POST", "/v1/password-reset", { ...options, body });
export const resetPassword = (body, options) => call("PUT", "/v1/password-reset", { ...options, body });
export const logOut = (options) => call("POST", "/v1/logout", options);
export const listTokens = ({ cursor, limit }, options) =>
  call("GET", withQuery("/v1/tokens", { cursor, limit }), options).then(data);
export const createToken = (body, options) => call("POST", "/v1/tokens", { ...options, body }).then(data);
export const revokeToken = (id, options) => call("DELETE", `/v1/tokens/${encodeURIComponent(id)}`, options);

export const beginTotp = (body, options) => call("POST", "/v1/totp", { ...options, body }).then(data);
export const confirmTotp = (body, options) => call("PUT", "/v1/totp", { ...options, body }).then(data);
export const endTotp = (body, options) => call("DELETE", "/v1/totp", { ...options, body });
export const renewRecoveryCodes = (body, options) =>
  call("POST", "/v1/totp/recovery-codes", { ...options, body }).then(data);

export const beginPasskeyLogIn = (options) => call("POST", "/v1/login/passkey/options", options).then(data);
export const logInWithPasskey = (body, options) => call("POST", "/v1/login/passkey", { ...options, body });
export const listPasskeys = (options) => call("GET", "/v1/passkeys", options).then(data);
export const beginPasskey = (body, options) => call("POST", "/v1/passkey-options", { ...options, body }).then(data);
export const addPasskey = (body, options) => call("POST", "/v1/passkeys", { ...options, body }).then(data);
export const removePasskey = (id, body, options) =>
  call("DELETE", `/v1/passkeys/${encodeURIComponent(id)}`, { ...options, body });

export const getPresets = (options) => call("GET", "/v1/presets", options).then(data);
export const getPlaces = (options) => call("GET", "/v1/places", options).then(data);
export const getActions = (options) => call("GET", "/v1/actions", options).then(data);
export const listGallery = ({ cursor, limit }, options) =>
  call("GET", withQuery("/v1/gallery", { cursor, limit }), options).then(data);
export const getGalleryItem = (id, options) => call("GET", galleryPath(id), options).then(data);
export const reportPicture = (id, body, options) =>
  call("POST", `${galleryPath(id)}/reports`, { ...options, body }).then(data);

/** Fetch a page of the jobs that make pictures. Trainings are jobs, too, which the page of likenesses shows. */
export const listJobs = ({ cursor, limit, state, q }, options) =>
  call("GET", withQuery("/v1/jobs", { cursor, limit, state, q }), options).then(({ data: { jobs, next } }) => ({
    jobs: jobs.filter(({ settings }) => !settings.training),
    next,
  }));
export const submitJob = (body, key, options) =>
  call("POST", "/v1/jobs", { ...options, body, headers: { "Idempotency-Key": key } }).then(data);
export const submitStylization = (body, key, options) =>
  call("POST", "/v1/stylizations", { ...options, body, headers: { "Idempotency-Key": key } }).then(data);
export const submitLikeness = (body, key, options) =>
  call("POST", "/v1/likenesses", { ...options, body, headers: { "Idempotency-Key": key } }).then(data);
export const checkPhotos = (body, options) => call("POST", "/v1/likeness-checks", { ...options, body });
export const listLikenesses = ({ cursor, limit }, options) =>
  call("GET", withQuery("/v1/likenesses", { cursor, limit }), options).then(data);
export const getLikeness = (code, options) => call("GET", likenessPath(code), options).then(data);
export const changeLikeness = (code, body, options) =>
  call("PATCH", likenessPath(code), { ...options, body }).then(data);
export const deleteLikeness = (code, options) => call("DELETE", likenessPath(code), options);
export const submitScene = (body, key, options) =>
  call("POST", "/v1/scenes", { ...options, body, headers: { "Idempotency-Key": key } }).then(data);
export const submitBatch = (body, key, options) =>
  call("POST", "/v1/batches", { ...options, body, headers: { "Idempotency-Key": key } }).then(data);
/** Count and price a group without submitting it. */
export const quoteBatch = (body, options) =>
  call("POST", "/v1/batches", { ...options, body: { ...body, dry_run: true } }).then(data);
export const getBatch = (id, options) => call("GET", batchPath(id), options).then(data);
export const cancelBatch = (id, options) => call("POST", `${batchPath(id)}/cancel`, options).then(data);
export const deleteBatch = (id, options) => call("DELETE", batchPath(id), options);
export const cancelJob = (id, options) => call("POST", `${jobPath(id)}/cancel`, options).then(data);
export const deleteJob = (id, options) => call("DELETE", jobPath(id), options);
export const publishJob = (id, options) => call("PUT", `${jobPath(id)}/publication`, options).then(data);
export const unpublishJob = (id, options) => call("DELETE", `${jobPath(id)}/publication`, options).then(data);
export const appealPublication = (id, body, options) =>
  call("POST", `${jobPath(id)}/publication/appeal`, { ...options, body }).then(data);
/** Request an upload: `{key, url, fields}`. `lib/picture-storage.js` sends the bytes. */
export const announceUpload = (body, options) => call("POST", "/v1/uploads", { ...options, body }).then(data);

/** Fetch a job. With `waitS` the server holds its answer until the job differs from `etag`, at most that long. */
export const getJob = (id, { etag = null, waitS = null } = {}, options = {}) =>
  call("GET", withQuery(jobPath(id), { wait: waitS }), { ...options, headers: etag ? { "If-None-Match": etag } : {} });
