/** Wait for `ms`, or until `wake` (an EventTarget) fires one of `events`. Rejects when `signal` is aborted. */
export function pause(ms, { signal, wake = null, events = [] } = {}) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const done = new AbortController();
    const finish = (settle) => (value) => {
      clearTimeout(timer);
      done.abort();
      settle(value);
    };
    const timer = setTimeout(finish(resolve), ms);
    for (const event of events) wake?.addEventListener(event, () => finish(resolve)(), { signal: done.signal });
    signal?.addEventListener("abort", () => finish(reject)(signal.reason), { signal: done.signal });
  });
}

/** Wait until the page is visible. Rejects when `signal` is aborted. */
export function whenVisible(signal) {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const settle = (action) => {
      done.abort();
      action();
    };
    const look = () => document.hidden || settle(resolve);
    document.addEventListener("visibilitychange", look, { signal: done.signal });
    signal?.addEventListener("abort", () => settle(() => reject(signal.reason)), { signal: done.signal });
  });
}
