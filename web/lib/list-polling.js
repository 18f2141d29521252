import { retryDelayMs } from "./backoff.js";

const FIRST_RETRY_MS = 2_000;

/**
 * Looks at a list again and again, with one request each time, until `pause` or `ready` rejects.
 *
 * `ask()` fetches the newest; `onAnswer(answer)` hears it unless `revision()` has moved since the question, because an
 * older answer must not undo what the person did meanwhile. `nextMs()` is the time until the next look, `onLost(isLost)`
 * hears when the connection goes and comes back. `ready()` resolves when the page can be seen, `pause(ms)` waits. Errors
 * that no repetition heals reject.
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
