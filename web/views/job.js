import { cancelJob, getJob } from "../lib/api.js";
import { holdWhileLost } from "../lib/connection.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { JobPolling } from "../lib/job-polling.js";
import { FINISHED, isOlder, stateOf } from "../lib/job-state.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { pause } from "../lib/pause.js";
import { navigate, setTitle } from "../lib/router.js";
import { refreshSession } from "../lib/session.js";
import { openJobChannel } from "../lib/tab-channel.js";
import { announce } from "../parts/announcer.js";
import { showInBrowserTab } from "../parts/browser-tab.js";
import { jobActions } from "../parts/job-actions.js";
import { jobPage } from "../parts/job-page.js";
import { routeLink } from "../parts/link.js";
import { emptyNotice, errorNotice, loading } from "../parts/message.js";
import { notifyButton } from "../parts/notify-button.js";
import { publicationNotice } from "../parts/publication.js";

/** The page of one job, from the queue to its pictures. */
export function jobView({ params: { id }, signal }) {
  const follower = new JobFollower(id, signal);
  follower.open();
  return { title: t("job.title"), node: element("div", { class: "page" }, follower.node) };
}

/** Polls a job and keeps page, browser tab and other tabs in sync. */
class JobFollower {
  node = element("div", {}, loading(t("job.loading")));
  #id;
  #signal;
  #gone = new AbortController();
  #page = null;
  #job = null;
  #etag = null;
  #notification = notifyButton();
  #postToTabs;
  #showInTab;
  #polling;

  constructor(id, leaving) {
    this.#id = id;
    this.#signal = AbortSignal.any([leaving, this.#gone.signal]);
    this.#showInTab = showInBrowserTab(this.#signal);
    this.#postToTabs = openJobChannel(id, {
      signal: this.#signal,
      onMessage: (message) => this.#receive(message),
      onDeleted: () => this.#showDeleted(),
    });
    this.#polling = new JobPolling({
      ask: (etag, waitS, end) => getJob(id, { etag, waitS }, { signal: AbortSignal.any([this.#signal, end]) }),
      onJob: (job) => this.#show(job),
      onLost: holdWhileLost(this.#signal),
      onAnswer: (answer) => this.#share(answer),
      isHidden: () => document.hidden,
      pause: (ms, end) =>
        pause(ms, {
          signal: AbortSignal.any([this.#signal, end]),
          wake: window,
          events: ["online", "visibilitychange"],
        }),
    });
  }

  /** Poll until the job is finished; afterwards check again when the tab becomes visible. */
  async open() {
    try {
      await this.#polling.run();
      refreshSession().catch(() => {});
      document.addEventListener("visibilitychange", () => document.hidden || this.#recheck(), { signal: this.#signal });
    } catch (error) {
      this.#showError(error);
    }
  }

  #show(job) {
    if (job.settings.training) return navigate("/likenesses", { replace: true });
    if (isOlder(job, this.#job)) return;
    const before = this.#job && stateOf(this.#job);
    const state = stateOf(job);
    this.#job = job;
    if (this.#page === null) {
      this.#page = jobPage({
        cancel: () => this.#cancel(),
        actionsOf: (shown) => this.#actionsOf(shown),
        noticeOf: (shown) =>
          publicationNotice(shown, { signal: this.#signal, onChange: (changed) => this.#change(changed) }),
        extra: this.#notification.node,
        signal: this.#signal,
      });
      fill(this.node, this.#page.node);
    }
    this.#page.show(job);
    this.#showInTab(job);
    if (before !== null && state !== before) announce(t(`job.${state}`));
  }

  /** Handle an answer or an action of another tab. */
  #receive(message) {
    const wasOver = this.#isOver;
    if (wasOver && message.job !== null) this.#show(message.job);
    else this.#polling.receive(message);
    if (!wasOver && this.#isOver && !message.isSeen) this.#notification.show(this.#job);
  }

  #share({ etag, job }) {
    const wasOver = this.#isOver;
    this.#etag = etag;
    this.#postToTabs({ etag, job, isSeen: !document.hidden });
    if (job !== null && !wasOver && this.#job !== null && FINISHED.has(job.state)) this.#notification.show(job);
  }

  get #isOver() {
    return this.#job !== null && FINISHED.has(this.#job.state);
  }

  /** Show a change made in this tab here and in the other tabs. */
  #change(job) {
    this.#postToTabs({ etag: null, job, isSeen: true });
    if (this.#isOver) this.#show(job);
    else this.#polling.receive({ etag: null, job });
  }

  async #recheck() {
    try {
      const { data, etag } = await getJob(this.#id, { etag: this.#etag }, { signal: this.#signal });
      this.#etag = etag;
      if (data !== null) this.#show(data);
    } catch (error) {
      if (!error.isPassing) this.#showError(error);
    }
  }

  async #cancel() {
    this.#page.complain("");
    this.#page.setStopping(true);
    announce(t("job.stopping"));
    try {
      this.#change(await cancelJob(this.#id, { signal: this.#signal }));
    } catch (error) {
      if (isAborted(error, this.#signal)) return;
      this.#page.setStopping(false);
      if (error.code !== "already_finished") this.#page.complain(errorText(error));
    }
  }

  #actionsOf(job) {
    return jobActions(job, {
      signal: this.#signal,
      onChange: (changed) => this.#change(changed),
      onNew: ({ id }) => navigate(`/pictures/${id}`),
      onGone: () => navigate("/pictures"),
    });
  }

  #showDeleted() {
    fill(this.node, goneNotice());
    setTitle(t("job.gone.title"));
    announce(t("job.gone"));
    this.#gone.abort();
  }

  #showError(error) {
    if (isAborted(error, this.#signal)) return;
    if (error.status === 404 || error.status === 422) return this.#showDeleted();
    if (error.status === 401) redirectToLogin({ replace: true });
    fill(this.node, errorNotice(error));
  }
}

function goneNotice() {
  const on = routeLink("/create", { class: "button is-main" }, t("job.new"));
  return emptyNotice(t("job.gone"), element("div", {}, element("p", {}, t("job.gone.detail")), on), "h1");
}
