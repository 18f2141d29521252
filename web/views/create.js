import { getPresets } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { readDraft, saveDraft } from "../lib/draft.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { bodyOf, checkValues } from "../lib/job-request.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { isOtherModel } from "../lib/picture-recipe.js";
import { fetchPicture, uploadPicture } from "../lib/picture-storage.js";
import { previewOf } from "../lib/preview.js";
import { navigate } from "../lib/router.js";
import { currentSession, onSessionChange, refreshSession } from "../lib/session.js";
import { StartPictures } from "../lib/start-pictures.js";
import { announce } from "../parts/announcer.js";
import { createForm } from "../parts/create-form.js";
import { showFieldErrors } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { errorNotice, loading } from "../parts/message.js";
import { onSubmit, submitErrorText } from "../parts/submitting.js";

/** Shared by all visits to this view: uploads continue, and a guest's pictures wait, while other views are shown. */
const startPictures = new StartPictures({
  upload: uploadPicture,
  preview: previewOf,
  mayUpload: () => currentSession() !== null,
});

/**
 * The form for a new job. Its content is kept between visits.
 *
 * `?prompt=` sets the prompt, `?start=<image id>` uses a picture of the site as start picture.
 */
export function createView({ query, signal }) {
  const place = element("div", {}, loading());
  const photo = routeLink("/stylize", {}, t("create.stylize"));
  const likenesses = routeLink("/likenesses", {}, t("likenesses.title"));
  const many = routeLink("/create/many", {}, t("create.many"));
  const head = element(
    "div",
    {},
    element("h1", { class: "display" }, t("create.heading")),
    element("p", { class: "actions" }, photo, likenesses, many),
  );
  const node = element("div", { class: "page" }, head, place);
  takeOver(query);

  async function load() {
    fill(place, loading());
    try {
      const presets = await getPresets({ signal });
      const form = show({ presets, place, signal });
      if (query.has("start")) await takeStart(form, query.get("start"), signal);
    } catch (error) {
      if (!isAborted(error, signal)) fill(place, errorNotice(error, load));
    }
  }
  load();
  return { title: t("create.title"), node };
}

/** Move the values of the address into the draft once; a reload then keeps the user's changes. */
function takeOver(query) {
  if (query.has("prompt")) saveDraft({ ...readDraft(), prompt: query.get("prompt") });
  if (query.has("prompt") || query.has("start")) history.replaceState(null, "", "/create");
}

/** Use a picture of the site as the only start picture, through its permanent link. */
async function takeStart(form, id, signal) {
  startPictures.clear();
  form.showStartError(t("create.start.fetching"));
  try {
    const picture = await fetchPicture({ link: `/i/${encodeURIComponent(id)}` }, { signal });
    form.showStartError(null);
    await form.addStartPictures([new File([picture], t("create.start.taken"), { type: picture.type })]);
  } catch (error) {
    if (!isAborted(error, signal))
      form.showStartError(error.status === 404 ? t("create.start.gone") : errorText(error));
  }
}

/** Show the form for the present draft; `former` is the draft that can be restored; `filled` what replaced it, `{file, words}`. */
function show({ presets, place, signal, former = null, filled = null }) {
  const leaving = new AbortController();
  const draft = readDraft();
  startPictures.restore(Array.isArray(draft.source_images) ? draft.source_images : []);
  const again = (next) => {
    leaving.abort();
    show({ presets, place, signal, ...next }).fields.prompt.input.focus();
  };
  const replace = (next, said, from) => {
    const left = { ...draft, ...form.values() };
    startPictures.clear();
    saveDraft(next);
    announce(said);
    again({ former: left, filled: from });
  };
  const afresh = () => replace({}, t("create.afresh.done"));
  const fillIn = ({ made_with, ...recipe }, file) => {
    const other = isOtherModel({ made_with }, presets.models) ? t("create.recipe.other_model", made_with) : "";
    const words = `${t("create.recipe.filled", { name: file.name })} ${other}`.trim();
    replace(recipe, words, { file, words });
  };
  const back = () => {
    saveDraft(former);
    again({});
  };
  const change = former ? { words: "create.back", run: back } : { words: "create.afresh", run: afresh };
  const ending = AbortSignal.any([signal, leaving.signal]);
  const form = createForm({ presets, draft, startPictures, signal: ending, change, fillIn, filled });
  fill(place, form.node);
  wire({ form, presets, signal: ending });
  return form;
}

function wire({ form, presets, signal }) {
  const follow = () => {
    form.showQuota(currentSession());
    if (currentSession()) startPictures.sendWaiting();
  };
  const keep = () => saveDraft(form.values());
  onSessionChange(follow, { signal });
  follow();
  form.node.addEventListener("input", keep);
  startPictures.addEventListener("change", keep, { signal });
  onSubmit(form, () => {
    keep();
    return submit({ form, presets, signal });
  });
}

/** Submit the form: go to the new job's page, or show the error. */
async function submit({ form, presets, signal }) {
  form.showError(null);
  const reasons = checkValues({ ...form.values(), source_images: startPictures.items }, presets);
  if (showWrong(form, { fields: Object.fromEntries(Object.keys(reasons).map((name) => [name, name])), reasons }))
    return;
  let body = {};
  try {
    form.showStep("create.sending");
    if (currentSession() === undefined) await refreshSession();
    if (currentSession() === null) return redirectToLogin();
    form.showStep("create.arriving");
    await startPictures.settled(signal);
    if (startPictures.keys().length < startPictures.items.length)
      return showWrong(form, { fields: { source_images: t("create.starts.look") } });
    form.showStep("create.sending");
    body = bodyOf(form.values());
    const job = await submitOnce(body, { signal });
    refreshSession().catch(() => {});
    navigate(`/pictures/${job.id}`);
  } catch (error) {
    if (!isAborted(error, signal)) showFailure({ form, body, error });
  }
}

/** Return whether there was an error to show. */
function showWrong(form, { fields, reasons }) {
  const hit = showFieldErrors(form.fields, { fields, reasons });
  const rest = Object.entries(fields)
    .filter(([name]) => !(name in form.fields))
    .map(([name, message]) => `${name}: ${message}`);
  if (hit > 0 || rest.length > 0)
    form.showError([hit > 0 ? t("error.field") : null, ...rest].filter(Boolean).join(" "));
  return hit > 0 || rest.length > 0;
}

/** After a lost answer the submission keeps its key, so that the next click repeats it. */
function showFailure({ form, body, error }) {
  if (error.status === 401) return redirectToLogin();
  const sentence = submitErrorText(error);
  if (!showWrong(form, withoutLost(body, error))) form.showError(sentence);
}

/** Remove the key of a start picture that the API does not find; its tile then shows what to do. */
function withoutLost({ source_images: keys = [] }, { fields, reasons }) {
  const rest = { ...fields };
  for (const name of Object.keys(fields)) {
    const index = /^source_images\.(\d+)$/.exec(name)?.[1];
    if (index === undefined) continue;
    startPictures.markLost(keys[index], reasons[name]?.code);
    delete rest[name];
    rest.source_images ??= t("create.starts.look");
  }
  return { fields: rest, reasons };
}
