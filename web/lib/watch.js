/** How long the server is asked to hold its answer until the job changes. */
const WAIT_S = 20;
/** A job that changes quickly is looked at no more often than this. */
const BREATH_MS = 300;
/** After a lost connection, in turn; the last one repeats. */
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

export const FINISHED = new Set(["succeeded", "failed", "cancelled"]);

/**
 * Follows one job until it is finished, and resolves to it.
 *
 * `ask(etag, waitS)` fetches it (`{status, data, etag, retryAfterMs}`), `onJob(job)` hears every change,
 * `onLost(isLost)` hears when the connection goes and comes back. `ready()` resolves when it makes sense to ask (the page
 * can be seen); `pause(ms)` waits; both reject when the watch is to end, and the watch then rejects likewise. Errors
 * that no repetition heals (the job is gone, the session is dead) reject.
 */
export async function watch({ ask, onJob, onLost = () => {}, ready, pause, now = () => performance.now() }) {
  let etag = null;
  let failures = 0;
  for (;;) {
    await ready();
    const asked = now();
    try {
      const answer = await ask(etag, etag === null ? null : WAIT_S);
      if (failures > 0) onLost(false);
      failures = 0;
      const hasChanged = answer.status !== 304 && (etag === null || answer.etag !== etag);
      if (hasChanged) {
        etag = answer.etag;
        onJob(answer.data);
        if (FINISHED.has(answer.data.state)) return answer.data;
      }
      await pause(breath({ hasChanged, etag, heldMs: now() - asked, retryAfterMs: answer.retryAfterMs }));
    } catch (error) {
      if (!error.isPassing) throw error;
      if (failures === 0) onLost(true);
      await pause(Math.max(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)], error.retryAfterMs ?? 0));
      failures += 1;
    }
  }
}

/** A server that holds its answers sets the pace itself; one that answers at once is asked as often as it says. */
function breath({ hasChanged, etag, heldMs, retryAfterMs }) {
  if (etag !== null && (hasChanged || heldMs > 1_000)) return BREATH_MS;
  return retryAfterMs ?? 2_000;
}
