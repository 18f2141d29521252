import { retryDelayMs } from "./backoff.js";

const FIRST_RETRY_MS = 2_000;

/**
 * Poll a list, one request at a time, until `pause` or `ready` rejects.
 *
 * `ask()` fetches the newest items. `onAnswer(answer)` gets them unless `revision()` has changed since the request,
 * because an older answer must not undo a user action. `nextMs()` is the delay before the next request,
 * `onLost(isLost)` reports when the connection is lost and back. `ready()` resolves when the page is visible,
 * `pause(ms)` waits. Rejects with errors that a retry cannot fix.
 */
export async function pollList({ ask, onAnswer, onLost, nextMs, revision, ready, pause }) {
  let failures = 0;
  for (;;) {
    await pause(failures > 0 ? retryDelayMs(failures, { startMs: FIRST_RETRY_MS }) : nextMs());
    await ready();
    const before = revision();
    try {
      const answer = await ask();
      if (failures > 0) onLost(false);
      failures = 0;
      if (revision() === before) onAnswer(answer);
    } catch (error) {
      if (!error.isPassing) throw error;
      if (failures === 0) onLost(true);
      failures += 1;
    }
  }
}
