import { cancelJob, getJob } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { explain, isLeaving } from "../lib/explain.js";
import { pause, whenVisible } from "../lib/pause.js";
import { navigate } from "../lib/router.js";
import { expire, refresh } from "../lib/session.js";
import { t } from "../lib/text.js";
import { watch } from "../lib/watch.js";
import { announce } from "../parts/announcer.js";
import { jobPage } from "../parts/job-page.js";
import { routeLink } from "../parts/link.js";
import { emptiness, failure, loading } from "../parts/message.js";

/** One job from the queue to its pictures. The address holds its id, so it can be left and found again. */
export function jobView({ params: { id }, signal }) {
  const place = element("div", {}, loading(t("job.loading")));
  const lost = element("p", { class: "notice is-lost", role: "status", hidden: true }, t("job.lost"));
  const node = element("div", { class: "page" }, lost, place);
  let page = null;
  let state = null;

  function onJob(job) {
    if (page === null) {
      page = jobPage({ cancel: () => cancel(id, page, signal) });
      fill(place, page.node);
    }
    page.show(job);
    if (job.state !== state && state !== null) announce(t(`job.${job.state}`));
    state = job.state;
  }
  function onLost(isLost) {
    lost.hidden = !isLost;
    announce(isLost ? "" : t("job.back"));
  }
  follow({ id, signal, onJob, onLost })
    .then(() => refresh().catch(() => {}))
    .catch((error) => {
      if (!isLeaving(error, signal)) fill(place, ending(error));
    });
  return { title: t("job.title"), node };
}

function follow({ id, signal, onJob, onLost }) {
  return watch({
    ask: (etag, waitS) => getJob(id, { etag, waitS }, { signal }),
    onJob,
    onLost,
    ready: () => whenVisible(signal),
    pause: (ms) => pause(ms, { signal, wake: window, events: ["online"] }),
  });
}

async function cancel(id, page, signal) {
  page.setCancelling(true);
  try {
    page.show(await cancelJob(id, { signal }));
  } catch (error) {
    if (isLeaving(error, signal)) return;
    page.setCancelling(false);
    announce(explain(error));
  }
}

function ending(error) {
  if (error.status === 401) {
    expire();
    navigate(`/login?next=${encodeURIComponent(location.pathname)}`, { replace: true });
  }
  if (error.status !== 404 && error.status !== 422) return failure(error);
  const on = routeLink("/create", { class: "button is-main" }, t("job.new"));
  return emptiness(t("job.gone"), element("div", {}, element("p", {}, t("job.gone.detail")), on), "h1");
}
