import { announceUpload } from "./api.js";
import { ApiError } from "./api-error.js";

/** The types of start pictures that the API accepts. */
export const UPLOAD_TYPES = ["image/png", "image/jpeg", "image/webp"];
/** The API's size limit for start pictures in bytes. */
export const UPLOAD_BYTES = 20 * 1024 * 1024;

/**
 * Upload a picture (a Blob or File) directly to the storage. Resolves to its key for `source_images`.
 *
 * `onProgress` gets the fraction sent, 0..1. Rejects with an ApiError, or with the reason of `signal`.
 */
export async function uploadPicture(file, { onProgress = () => {}, signal } = {}) {
  const { key, url, fields } = await announceUpload({ content_type: file.type, size: file.size }, { signal });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  await send(url, form, onProgress, signal);
  return key;
}

/** Uses XMLHttpRequest because fetch does not report upload progress. */
function send(url, form, onProgress, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const request = new XMLHttpRequest();
    const lost = (code) => () => reject(signal?.aborted ? signal.reason : new ApiError({ status: 0, code }));
    request.open("POST", url);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : lost("upload_refused")()));
    request.addEventListener("error", lost("network"));
    request.addEventListener("abort", lost("network"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/** Fetch a picture as a Blob through its permanent link, so that an expired URL does not matter. */
export async function fetchPicture({ link }, { signal } = {}) {
  let response;
  try {
    response = await fetch(link, { signal });
    if (response.ok) return await response.blob();
  } catch {
    signal?.throwIfAborted();
    throw new ApiError({ status: 0, code: "network" });
  }
  throw new ApiError({ status: response.status, code: `http_${response.status}` });
}
