import { getPresets, submitJob } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { keepDraft, readDraft } from "../lib/draft.js";
import { explain, isLeaving } from "../lib/error-text.js";
import { askToLogIn } from "../lib/login-redirect.js";
import { previewOf } from "../lib/preview.js";
import { bodyOf, checkValues } from "../lib/job-request.js";
import { navigate } from "../lib/router.js";
import { current, onChange, refresh } from "../lib/session.js";
import { StartPictures } from "../lib/start-pictures.js";
import { fetchPicture, uploadPicture } from "../lib/picture-storage.js";
import { Submission } from "../lib/idempotent-submit.js";
import { t } from "../lib/i18n.js";
import { announce } from "../parts/announcer.js";
import { createForm } from "../parts/create-form.js";
import { showFieldErrors } from "../parts/field.js";
import { failure, loading } from "../parts/message.js";

/** One for the whole visit: an upload goes on, and a guest's pictures wait, while other views are shown. */
const starts = new StartPictures({ upload: uploadPicture, preview: previewOf, mayUpload: () => current() !== null });

/**
 * The form that makes a job. What stands in it is kept between visits.
 *
 * `?prompt=` puts words into it, `?start=<image id>` a picture of the site as its start picture.
 */
export function createView({ query, signal }) {
  const place = element("div", {}, loading());
  const node = element("div", { class: "page" }, element("h1", { class: "display" }, t("create.heading")), place);
  takeOver(query);

  async function load() {
    fill(place, loading());
    try {
      const presets = await getPresets({ signal });
      const form = show({ presets, place, signal });
      if (query.has("start")) await takeStart(form, query.get("start"), signal);
    } catch (error) {
      if (!isLeaving(error, signal)) fill(place, failure(error, load));
    }
  }
  load();
  return { title: t("create.title"), node };
}

/** What the address brings is put into the draft once; a reload then finds what the person made of it. */
function takeOver(query) {
  if (query.has("prompt")) keepDraft({ ...readDraft(), prompt: query.get("prompt") });
  if (query.has("prompt") || query.has("start")) history.replaceState(null, "", "/create");
}

/** A picture of the site becomes the one start picture, through its lasting link. */
async function takeStart(form, id, signal) {
  starts.clear();
  form.showStart(t("create.start.fetching"));
  try {
    const picture = await fetchPicture({ link: `/i/${encodeURIComponent(id)}` }, { signal });
    form.showStart(null);
    await form.addStarts([new File([picture], t("create.start.taken"), { type: picture.type })]);
  } catch (error) {
    if (!isLeaving(error, signal)) form.showStart(error.status === 404 ? t("create.start.gone") : explain(error));
  }
}

/** Puts the form for the present draft into `place`; `former` is the draft that an empty form can be given up for. */
function show({ presets, place, signal, former = null }) {
  const leaving = new AbortController();
  const draft = readDraft();
  starts.restore(Array.isArray(draft.source_images) ? draft.source_images : []);
  const again = (next) => {
    leaving.abort();
    show({ presets, place, signal, ...next }).fields.prompt.input.focus();
  };
  const afresh = () => {
    const left = { ...draft, ...form.values() };
    starts.clear();
    keepDraft({});
    announce(t("create.afresh.done"));
    again({ former: left });
  };
  const back = () => {
    keepDraft(former);
    again({});
  };
  const change = former ? { words: "create.back", run: back } : { words: "create.afresh", run: afresh };
  const form = createForm({ presets, draft, starts, signal: AbortSignal.any([signal, leaving.signal]), change });
  fill(place, form.node);
  wire({ form, presets, signal: AbortSignal.any([signal, leaving.signal]) });
  return form;
}

function wire({ form, presets, signal }) {
  const follow = () => {
    form.showQuota(current());
    if (current()) starts.sendWaiting();
  };
  const keep = () => keepDraft(form.values());
  onChange(follow, { signal });
  follow();
  form.node.addEventListener("input", keep);
  starts.addEventListener("change", keep, { signal });
  const submission = new Submission(sessionStorage);
  let isSending = false;
  form.node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    keep();
    try {
      await submit({ form, presets, submission, signal });
    } finally {
      isSending = false;
      form.showStep(null);
    }
  });
}

/** From the button to the page of the new job, or to the words for what stands against it. */
async function submit({ form, presets, submission, signal }) {
  form.showError(null);
  const reasons = checkValues({ ...form.values(), source_images: starts.items }, presets);
  if (showWrong(form, { fields: Object.fromEntries(Object.keys(reasons).map((name) => [name, name])), reasons })) return;
  let body = {};
  try {
    form.showStep("create.sending");
    if (current() === undefined) await refresh();
    if (current() === null) return askToLogIn();
    form.showStep("create.arriving");
    await starts.settled(signal);
    if (starts.keys().length < starts.items.length) return showWrong(form, { fields: { source_images: t("create.starts.look") } });
    form.showStep("create.sending");
    body = bodyOf(form.values());
    const job = await submitJob(body, submission.keyFor(body), { signal });
    submission.settle();
    refresh().catch(() => {});
    navigate(`/pictures/${job.id}`);
  } catch (error) {
    if (!isLeaving(error, signal)) showFailure({ form, submission, body, error });
  }
}

/** Answers whether there was anything to show. */
function showWrong(form, { fields, reasons }) {
  const hit = showFieldErrors(form.fields, { fields, reasons });
  const rest = Object.entries(fields).filter(([name]) => !(name in form.fields)).map(([name, message]) => `${name}: ${message}`);
  if (hit > 0 || rest.length > 0) form.showError([hit > 0 ? t("error.field") : null, ...rest].filter(Boolean).join(" "));
  return hit > 0 || rest.length > 0;
}

/** An answer that was lost keeps the submission open, so that the next click repeats it instead of making another. */
function showFailure({ form, submission, body, error }) {
  if (error.status === 401) return askToLogIn();
  const sentence = explain(error);
  if (!error.isPassing) submission.settle();
  if (showWrong(form, withoutLost(body, error))) return;
  form.showError(error.isNetwork ? `${sentence} ${t("create.again")}` : sentence);
}

/** A start picture that the API does not find loses its key; its tile then says what is left to do. */
function withoutLost({ source_images: keys = [] }, { fields, reasons }) {
  const rest = { ...fields };
  for (const name of Object.keys(fields)) {
    const index = /^source_images\.(\d+)$/.exec(name)?.[1];
    if (index === undefined) continue;
    starts.lose(keys[index], reasons[name]?.code);
    delete rest[name];
    rest.source_images ??= t("create.starts.look");
  }
  return { fields: rest, reasons };
}
