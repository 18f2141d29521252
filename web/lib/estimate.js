/** Shorter waits are shown as "almost done". */
const MOMENT_S = 4;
/** Smaller increases are ignored, so that the countdown does not jump back. */
const JITTER_S = 4;
const JITTER = 0.2;
/** How long "almost done" may be shown before it changes to "longer than expected". */
const PATIENCE_S = 20;

/**
 * The server's estimated time left, counted down between its answers. Times are seconds of a monotonic clock.
 *
 * `left` returns `{kind: "unknown"}`, `{kind: "span", seconds}`, `{kind: "moment"}` or `{kind: "late"}` when the
 * estimate has been over for too long.
 */
export class Estimate {
  #endsAt = null;

  set(seconds, now) {
    if (seconds === null) {
      this.#endsAt = null;
      return;
    }
    const endsAt = now + seconds;
    const later = this.#endsAt === null ? Infinity : endsAt - Math.max(this.#endsAt, now);
    const isJitter = later > 0 && later <= Math.max(JITTER_S, JITTER * seconds);
    if (!isJitter) this.#endsAt = endsAt;
  }

  left(now) {
    if (this.#endsAt === null) return { kind: "unknown" };
    const seconds = this.#endsAt - now;
    if (seconds < -PATIENCE_S) return { kind: "late" };
    return seconds < MOMENT_S ? { kind: "moment" } : { kind: "span", seconds: rounded(seconds) };
  }
}

/** Round to 5 s above 20 s: an estimate is not more exact than that. */
function rounded(seconds) {
  return seconds > 20 ? Math.round(seconds / 5) * 5 : Math.round(seconds);
}
