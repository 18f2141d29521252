/**
 * Whether the server can be reached, judged by the site's own requests. Fires "change".
 *
 * The connection counts as lost after a request without an answer, until any request is answered, and while a poller
 * that retries by itself holds it (`hold`).
 */
export class Connection extends EventTarget {
  #hasMissed = false;
  #holders = new Set();

  get isLost() {
    return this.#hasMissed || this.#holders.size > 0;
  }

  /** Whether no poller retries, so that a probe has to find out when the server is back. */
  get needsProbe() {
    return this.#hasMissed && this.#holders.size === 0;
  }

  /** Record that a request got an answer of any kind. */
  requestAnswered() {
    this.#change(() => {
      this.#hasMissed = false;
    });
  }

  /** Record that a request got no answer. */
  requestFailed() {
    this.#change(() => {
      this.#hasMissed = true;
    });
  }

  /** Mark the connection as lost until the returned function is called. */
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

/** Return an `onLost(isLost)` for a poller that retries until `signal`: it holds the connection while it is lost. */
export function holdWhileLost(signal, of = connection) {
  let letGo = () => {};
  const report = (isLost) => {
    letGo();
    letGo = isLost && !signal.aborted ? of.hold() : () => {};
  };
  signal.addEventListener("abort", () => report(false));
  return report;
}
