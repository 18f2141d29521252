/**
 * Whether the server can be reached, as far as the site's own requests tell. Fires "change".
 *
 * Two things count: a request that got no answer at all, until any request gets one; and whoever follows something and
 * repeats its question by itself (`hold`), until it lets go.
 */
export class Connection extends EventTarget {
  #hasMissed = false;
  #holders = new Set();

  get isLost() {
    return this.#hasMissed || this.#holders.size > 0;
  }

  /** Whether nobody asks again by themselves, so that somebody has to find out when the server is back. */
  get needsProbe() {
    return this.#hasMissed && this.#holders.size === 0;
  }

  /** A request got an answer, of any kind. */
  requestAnswered() {
    this.#change(() => {
      this.#hasMissed = false;
    });
  }

  /** A request got no answer. */
  requestFailed() {
    this.#change(() => {
      this.#hasMissed = true;
    });
  }

  /** Counts as lost until the answered function is called. */
  hold() {
    const holder = {};
    this.#change(() => this.#holders.add(holder));
    return () => this.#change(() => this.#holders.delete(holder));
  }

  #change(action) {
    const before = this.isLost;
    action();
    if (this.isLost !== before) this.dispatchEvent(new Event("change"));
  }
}

/** The connection of this page. */
export const connection = new Connection();

/** An `onLost(isLost)` for something that asks on by itself until `signal`: the notice stands for as long as it is lost. */
export function holdWhileLost(signal, of = connection) {
  let letGo = () => {};
  const tell = (isLost) => {
    letGo();
    letGo = isLost && !signal.aborted ? of.hold() : () => {};
  };
  signal.addEventListener("abort", () => tell(false));
  return tell;
}
