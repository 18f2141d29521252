import { cancelJob, getJob } from "../lib/api.js";
import { holdWhileLost } from "../lib/connection.js";
import { element, fill } from "../lib/dom.js";
import { explain, isLeaving } from "../lib/error-text.js";
import { askToLogIn } from "../lib/login-redirect.js";
import { newsOf } from "../lib/tab-channel.js";
import { pause } from "../lib/pause.js";
import { stateOf } from "../lib/job-state.js";
import { navigate, setTitle } from "../lib/router.js";
import { refresh } from "../lib/session.js";
import { t } from "../lib/i18n.js";
import { FINISHED, isOlder, Watch } from "../lib/job-polling.js";
import { announce } from "../parts/announcer.js";
import { jobActions } from "../parts/job-actions.js";
import { jobPage } from "../parts/job-page.js";
import { routeLink } from "../parts/link.js";
import { emptiness, failure, loading } from "../parts/message.js";
import { jobInTab } from "../parts/browser-tab.js";
import { tellMe } from "../parts/notify-button.js";

/** One job from the queue to its pictures. The address holds its id, so it can be left and found again. */
export function jobView({ params: { id }, signal }) {
  const desk = new Desk(id, signal);
  desk.open();
  return { title: t("job.title"), node: element("div", { class: "page" }, desk.node) };
}

/** Follows the job in this tab, and keeps page, tab and the other tabs in step with it. */
class Desk {
  node = element("div", {}, loading(t("job.loading")));
  #id;
  #signal;
  #gone = new AbortController();
  #page = null;
  #job = null;
  #etag = null;
  #bell = tellMe();
  #news;
  #showInTab;
  #watch;

  constructor(id, leaving) {
    this.#id = id;
    this.#signal = AbortSignal.any([leaving, this.#gone.signal]);
    this.#showInTab = jobInTab(this.#signal);
    this.#news = newsOf(id, { signal: this.#signal, onNews: (news) => this.#hear(news), onGone: () => this.#leave() });
    this.#watch = new Watch({
      ask: (etag, waitS, end) => getJob(id, { etag, waitS }, { signal: AbortSignal.any([this.#signal, end]) }),
      onJob: (job) => this.#show(job),
      onLost: holdWhileLost(this.#signal),
      onAnswer: (answer) => this.#pass(answer),
      isHidden: () => document.hidden,
      pause: (ms, end) =>
        pause(ms, { signal: AbortSignal.any([this.#signal, end]), wake: window, events: ["online", "visibilitychange"] }),
    });
  }

  /** Goes on until the job is finished; afterwards looks again whenever the person comes back to the tab. */
  async open() {
    try {
      await this.#watch.run();
      refresh().catch(() => {});
      document.addEventListener("visibilitychange", () => document.hidden || this.#lookAgain(), { signal: this.#signal });
    } catch (error) {
      this.#fail(error);
    }
  }

  #show(job) {
    if (isOlder(job, this.#job)) return;
    const before = this.#job && stateOf(this.#job);
    const state = stateOf(job);
    this.#job = job;
    if (this.#page === null) {
      this.#page = jobPage({
        cancel: () => this.#cancel(),
        actionsOf: (shown) => this.#actionsOf(shown),
        extra: this.#bell.node,
        signal: this.#signal,
      });
      fill(this.node, this.#page.node);
    }
    this.#page.show(job);
    this.#showInTab(job);
    if (before !== null && state !== before) announce(t(`job.${state}`));
  }

  /** Another tab was answered, or did something to the job. */
  #hear(news) {
    const wasOver = this.#isOver;
    if (wasOver && news.job !== null) this.#show(news.job);
    else this.#watch.hear(news);
    if (!wasOver && this.#isOver && !news.isSeen) this.#bell.tell(this.#job);
  }

  #pass({ etag, job }) {
    const wasOver = this.#isOver;
    this.#etag = etag;
    this.#news.tell({ etag, job, isSeen: !document.hidden });
    if (job !== null && !wasOver && this.#job !== null && FINISHED.has(job.state)) this.#bell.tell(job);
  }

  get #isOver() {
    return this.#job !== null && FINISHED.has(this.#job.state);
  }

  /** What this tab did to the job is shown here and in the others at once. */
  #change(job) {
    this.#news.tell({ etag: null, job, isSeen: true });
    if (this.#isOver) this.#show(job);
    else this.#watch.hear({ etag: null, job });
  }

  async #lookAgain() {
    try {
      const { data, etag } = await getJob(this.#id, { etag: this.#etag }, { signal: this.#signal });
      this.#etag = etag;
      if (data !== null) this.#show(data);
    } catch (error) {
      if (!error.isPassing) this.#fail(error);
    }
  }

  async #cancel() {
    this.#page.complain("");
    this.#page.setStopping(true);
    announce(t("job.stopping"));
    try {
      this.#change(await cancelJob(this.#id, { signal: this.#signal }));
    } catch (error) {
      if (isLeaving(error, this.#signal)) return;
      this.#page.setStopping(false);
      if (error.code !== "already_finished") this.#page.complain(explain(error));
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

  #leave() {
    fill(this.node, goneNotice());
    setTitle(t("job.gone.title"));
    announce(t("job.gone"));
    this.#gone.abort();
  }

  #fail(error) {
    if (isLeaving(error, this.#signal)) return;
    if (error.status === 404 || error.status === 422) return this.#leave();
    if (error.status === 401) askToLogIn({ replace: true });
    fill(this.node, failure(error));
  }
}

function goneNotice() {
  const on = routeLink("/create", { class: "button is-main" }, t("job.new"));
  return emptiness(t("job.gone"), element("div", {}, element("p", {}, t("job.gone.detail")), on), "h1");
}
