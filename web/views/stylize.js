import { getPresets, submitStylization } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { uploadPicture } from "../lib/picture-storage.js";
import { previewOf } from "../lib/preview.js";
import { navigate } from "../lib/router.js";
import { currentSession, onSessionChange, refreshSession } from "../lib/session.js";
import { StartPictures } from "../lib/start-pictures.js";
import { showFieldErrors } from "../parts/field.js";
import { errorNotice, loading } from "../parts/message.js";
import { stylizeForm } from "../parts/stylize/form.js";
import { stylizationView } from "../parts/stylize/stylization.js";
import { onSubmit, submitErrorText } from "../parts/submitting.js";

/** Shared by all visits to this view, so that a guest's photo waits for the login. */
const photos = new StartPictures({
  upload: uploadPicture,
  preview: previewOf,
  mayUpload: () => currentSession() !== null,
});

/** A photo in several styles: the form, or with `?group=` the pictures made of one photo. */
export function stylizeView({ query, signal }) {
  const place = element("div", {}, loading());
  const head = element(
    "div",
    { class: "stylize-head" },
    element("h1", { class: "display" }, t("stylize.title")),
    element("p", {}, t("stylize.lead")),
  );
  const node = element("div", { class: "page" }, head, place);
  const id = query.get("group");
  if (id !== null) fill(place, stylizationView({ id, photos, submit: (body) => send(body, signal), signal }));
  else load();
  return { title: t("stylize.title"), node };

  async function load() {
    fill(place, loading());
    try {
      const presets = await getPresets({ signal });
      const form = stylizeForm({ presets, photos, signal });
      fill(place, form.node);
      wire(form, signal);
    } catch (error) {
      if (!isAborted(error, signal)) fill(place, errorNotice(error, load));
    }
  }
}

/** Submit a stylization and show it. Rejects with an ApiError. */
async function send(body, signal) {
  const group = await submitOnce(body, { source: "stylize", signal, submit: submitStylization });
  refreshSession().catch(() => {});
  navigate(`/stylize?group=${group.id}`);
}

function wire(form, signal) {
  const sendWaiting = () => currentSession() && photos.sendWaiting();
  onSessionChange(sendWaiting, { signal });
  sendWaiting();
  onSubmit(form, () => submit(form, signal));
}

async function submit(form, signal) {
  form.showError(null);
  const missing = form.missing();
  if (Object.keys(missing).length > 0) return void showFieldErrors(form.fields, { fields: missing });
  try {
    form.showStep("create.arriving");
    if (currentSession() === undefined) await refreshSession();
    if (currentSession() === null) return redirectToLogin();
    await photos.settled(signal);
    if (photos.keys().length === 0)
      return void showFieldErrors(form.fields, { fields: { source_image: t("create.starts.look") } });
    form.showStep("create.sending");
    await send(form.body(), signal);
  } catch (error) {
    if (isAborted(error, signal)) return;
    if (error.status === 401) return redirectToLogin();
    showFieldErrors(form.fields, error);
    form.showError(submitErrorText(error));
  }
}
