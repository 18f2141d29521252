const CHANNEL = "easel.jobs";

/**
 * Open the channel on which this browser's tabs share answers about one job, so that all show a change immediately and
 * hidden tabs need not poll. Closed when `signal` is aborted.
 *
 * `onMessage` gets the messages of other tabs: `{etag, job, isSeen}` (`job` is null if nothing changed; `isSeen` says
 * whether that tab is visible). `onDeleted` is called when the job was deleted. Returns the function that posts a
 * message.
 */
export function openJobChannel(id, { onMessage, onDeleted, signal }) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data.id !== id) return;
    if (data.isGone) onDeleted();
    else onMessage(data);
  });
  signal.addEventListener("abort", () => channel.close());
  const send = (message) => signal.aborted || channel.postMessage({ id, ...message });
  return (message) => send({ isGone: false, ...message });
}

/** Inform all tabs that a job was deleted. */
export function postJobDeleted(id) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ id, isGone: true });
  channel.close();
}
