const CHANNEL = "easel.jobs";

/**
 * What the tabs of this browser tell each other about one job, so that a change in one shows in all of them at once, and a
 * tab that nobody sees need not ask while another one does. Closed when `signal` is aborted.
 *
 * `onMessage` hears what the other tabs told: `{etag, job, isSeen}` (`job` is null where the answer was that nothing changed;
 * `isSeen` says whether that tab can be seen). `onDeleted` hears that the job was deleted. Answers `{tell, tellGone}`.
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

/** Tells the tabs that show this job that it was deleted. */
export function postJobDeleted(id) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ id, isGone: true });
  channel.close();
}
