/** Below this, a wait is a moment. */
const MOMENT_S = 4;
/** An estimate that only grew by so little would make the countdown jump back for nothing. */
const JITTER_S = 4;
const JITTER = 0.2;
/** How long a moment may last before it is no longer one. */
const PATIENCE_S = 20;

/**
 * The server's estimate of a wait, counted down between its answers. Times are seconds of any steady clock.
 *
 * `left` answers `{kind: "unknown"}`, `{kind: "span", seconds}`, `{kind: "moment"}`, or `{kind: "late"}` when the time has run out
 * for so long that "a moment" would be a lie.
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

/** A countdown by single seconds would promise more than an estimate knows. */
function rounded(seconds) {
  return seconds > 20 ? Math.round(seconds / 5) * 5 : Math.round(seconds);
}
