const CHANNEL = "easel.jobs";

/**
 * What the tabs of this browser tell each other about one job, so that a change in one shows in all of them at once, and a
 * tab that nobody sees need not ask while another one does. Closed when `signal` is aborted.
 *
 * `onNews` hears what the other tabs told: `{etag, job, isSeen}` (`job` is null where the answer was that nothing changed;
 * `isSeen` says whether that tab can be seen). `onGone` hears that the job was deleted. Answers `{tell, tellGone}`.
 */
export function newsOf(id, { onNews, onGone, signal }) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", ({ data }) => {
    if (data.id !== id) return;
    if (data.isGone) onGone();
    else onNews(data);
  });
  signal.addEventListener("abort", () => channel.close());
  const send = (message) => signal.aborted || channel.postMessage({ id, ...message });
  return { tell: (news) => send({ isGone: false, ...news }), tellGone: () => send({ isGone: true }) };
}

/** Tells the tabs that show this job that it was deleted. */
export function tellGone(id) {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage({ id, isGone: true });
  channel.close();
}
