import { cancelJob, getJob } from "../../lib/api.js";
import { holdWhileLost } from "../../lib/connection.js";
import { errorText, isAborted } from "../../lib/error-text.js";
import { t } from "../../lib/i18n.js";
import { JobPolling } from "../../lib/job-polling.js";
import { pause } from "../../lib/pause.js";
import { announce } from "../announcer.js";
import { progressPanel } from "../progress-panel.js";
import { refreshRelativeTimes } from "../relative-time.js";

const TICK_MS = 1_000;

/**
 * Create the progress of a training and follow its job until it ends (`onEnd`) or cannot be followed (`onError(error)`).
 *
 * `mayHold()` says whether the server may hold its answers. Returns the panel's element.
 */
export function trainingProgress(jobId, { mayHold, signal, onEnd, onError }) {
  const ended = new AbortController();
  const ending = AbortSignal.any([signal, ended.signal]);
  const panel = progressPanel({ cancel, isTraining: true });
  const polling = new JobPolling({
    ask: (etag, waitS, end) =>
      getJob(jobId, { etag, waitS: mayHold() ? waitS : null }, { signal: AbortSignal.any([ending, end]) }),
    onJob: panel.show,
    onLost: holdWhileLost(ending),
    isHidden: () => document.hidden,
    pause: (ms, end) =>
      pause(ms, {
        signal: AbortSignal.any([ending, end]),
        wake: window,
        events: ["online", "visibilitychange"],
      }),
  });
  const clock = setInterval(() => {
    if (document.hidden) return;
    panel.tick();
    refreshRelativeTimes(panel.node);
  }, TICK_MS);
  ending.addEventListener("abort", () => clearInterval(clock));

  async function cancel() {
    panel.complain("");
    panel.setStopping(true);
    announce(t("job.stopping"));
    try {
      polling.receive({ etag: null, job: await cancelJob(jobId, { signal: ending }) });
    } catch (error) {
      if (isAborted(error, ending)) return;
      panel.setStopping(false);
      if (error.code !== "already_finished") panel.complain(errorText(error));
    }
  }
  polling
    .run()
    .finally(() => ended.abort())
    .then(onEnd, onError);
  return panel.node;
}
