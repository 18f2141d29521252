import { cancelBatch, getBatch, getJob } from "../../lib/api.js";
import { retryDelayMs } from "../../lib/backoff.js";
import { element, fill } from "../../lib/dom.js";
import { errorText, isAborted } from "../../lib/error-text.js";
import { t } from "../../lib/i18n.js";
import { redirectToLogin } from "../../lib/login-redirect.js";
import { pause, whenVisible } from "../../lib/pause.js";
import { announce } from "../announcer.js";
import { field } from "../field.js";
import { routeLink } from "../link.js";
import { emptyNotice, errorNotice, loading } from "../message.js";
import { stylizedSet } from "./set.js";

const POLL_MS = 1_000;
/** Jobs whose present state is fetched at once. */
const MOST_PREVIEWS = 4;

const describes = ({ settings }) => settings.strength < -1;

/**
 * Show the pictures made of one photo, with their progress, until `signal`. The group `id` is all it needs.
 *
 * `photos` keeps small copies of photos, `submit(body)` makes another stylization.
 */
export function stylizationView({ id, photos, submit, signal }) {
  const set = stylizedSet();
  const progress = element("progress", { max: 1, "aria-label": t("stylize.pictures") });
  const words = element("p", { role: "status" });
  const error = element("div", {});
  const cancel = element("button", { type: "button", class: "button", on: { click: stop } }, t("stylize.cancel"));
  const again = routeLink("/stylize", { class: "button" }, t("stylize.new"));
  const caption = captionForm(submit, signal);
  const place = element("div", { class: "stylize-form" }, loading());

  function show(group, previews) {
    const styled = group.jobs.filter((job) => !describes(job));
    const ended = styled.filter(({ finished_at: at }) => at !== null).length;
    progress.value = group.progress;
    progress.hidden = cancel.hidden = group.state === "finished";
    fill(words, t("stylize.progress", { done: ended, count: styled.length }));
    caption.show(group.jobs);
    set.show(styled, { photo: photoOf(group.jobs, photos), previews });
    if (place.contains(set.node)) return;
    fill(place, words, progress, caption.node, set.node, element("div", { class: "actions" }, cancel, again), error);
  }
  async function stop() {
    cancel.disabled = true;
    try {
      show(await cancelBatch(id, { signal }), new Map());
    } catch (failure) {
      if (!isAborted(failure, signal)) fill(error, errorNotice(failure));
    } finally {
      cancel.disabled = false;
    }
  }
  function fail(failure) {
    if (isAborted(failure, signal)) return;
    if (failure.status === 401) return redirectToLogin({ replace: true });
    if (failure.status === 404) fill(place, emptyNotice(t("stylize.lost"), again));
    else fill(place, errorNotice(failure, start));
  }
  const onTrouble = (failure) => fill(error, failure && element("p", { class: "field-error" }, errorText(failure)));
  const start = () => follow({ id, show, onTrouble, signal }).catch(fail);
  start();
  return place;
}

/** Poll the group until it has finished; troubles that pass are shown and outlasted. */
async function follow({ id, show, onTrouble, signal }) {
  let failures = 0;
  let isFirst = true;
  for (;;) {
    await whenVisible(signal);
    try {
      const group = await getBatch(id, { signal });
      show(group, await previewsOf(group.jobs, signal));
      onTrouble(null);
      failures = 0;
      if (group.state === "finished") return void (isFirst || announce(t("stylize.finished")));
      isFirst = false;
    } catch (error) {
      if (isAborted(error, signal) || !error.isPassing || isFirst) throw error;
      failures += 1;
      onTrouble(error);
    }
    await pause(failures > 0 ? retryDelayMs(failures) : POLL_MS, { signal });
  }
}

/** Return how the pictures in the making look now, by the ids of their jobs. */
async function previewsOf(jobs, signal) {
  const making = jobs.filter((job) => job.state === "generating" && !describes(job)).slice(0, MOST_PREVIEWS);
  const answers = await Promise.all(making.map(({ id }) => getJob(id, {}, { signal })));
  return new Map(answers.filter(({ data }) => data.preview_url).map(({ data }) => [data.id, data.preview_url]));
}

/** The describing job keeps the photo as its picture; without one this browser may still have a small copy. */
function photoOf(jobs, photos) {
  const described = jobs.find(describes)?.images[0]?.url;
  if (described) return described;
  const key = keyOf(jobs);
  if (key && !photos.keys().includes(key)) photos.restore([key]);
  const kept = photos.items.find((item) => item.key === key);
  return kept?.url ?? kept?.preview ?? null;
}

const keyOf = (jobs) => jobs.map(({ settings }) => settings.source_images?.[0]).find(Boolean);

/** The words about the photo, which the user can correct: the pictures, or those that are missing, are made again. */
function captionForm(submit, signal) {
  const caption = field({ name: "caption", label: t("stylize.caption"), tag: "textarea", rows: 2, maxlength: 2000 });
  const all = element("button", { class: "button" }, t("stylize.caption.again"));
  const rest = element("button", { type: "button", class: "button", hidden: true }, t("stylize.missing"));
  const buttons = element("div", { class: "actions" }, all, rest);
  const node = element("form", { class: "stylize-caption" }, caption.node, buttons);
  let jobs = [];
  let isFilled = false;
  async function send(styled) {
    all.disabled = rest.disabled = true;
    const styles = styled.map(({ settings }) => [settings.style].flat()[0]);
    try {
      await submit({ source_image: keyOf(jobs), styles, prompt: caption.input.value.trim() });
    } catch (error) {
      if (!isAborted(error, signal)) caption.showError(errorText(error));
    } finally {
      all.disabled = rest.disabled = false;
    }
  }
  const styled = () => jobs.filter((job) => !describes(job));
  const missing = () => styled().filter(({ state }) => state === "failed" || state === "cancelled");
  node.addEventListener("submit", (event) => {
    event.preventDefault();
    send(styled());
  });
  rest.addEventListener("click", () => send(missing()));

  function show(now) {
    jobs = now;
    const describing = now.find(describes);
    const said = describing ? describing.images[0]?.description : now[0]?.prompt;
    caption.showHint(describing?.finished_at === null ? t("stylize.caption.waiting") : "");
    rest.hidden = missing().length === 0 || now.some(({ finished_at: at }) => at === null);
    if (said && !isFilled && caption.input.value === "") {
      caption.input.value = said;
      isFilled = true;
    }
  }
  return { node, show };
}
