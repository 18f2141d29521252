import { submitJob } from "./api.js";

const keys = new Map();

/**
 * Submits a job for a button, and resolves to it. `name` says which button.
 *
 * Until the server has answered for certain, every further click on the same button carries the same Idempotency-Key:
 * an impatient click or a lost reply makes one job. The click after that makes another.
 */
export async function submitOnce(name, body, { signal, newKey = () => crypto.randomUUID(), submit = submitJob } = {}) {
  const key = keys.get(name) ?? newKey();
  keys.set(name, key);
  try {
    const job = await submit(body, key, { signal });
    keys.delete(name);
    return job;
  } catch (error) {
    if (error.name === "ApiError" && !error.isPassing) keys.delete(name);
    throw error;
  }
}
