import { checkPhotos, getPresets, submitLikeness } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { checkAsTheyCome, refusedPhotos } from "../lib/photo-checks.js";
import { uploadPicture } from "../lib/picture-storage.js";
import { isShown } from "../lib/presets.js";
import { previewOf } from "../lib/preview.js";
import { beforeLogout, currentSession, onSessionChange, refreshSession } from "../lib/session.js";
import { StartPictures } from "../lib/start-pictures.js";
import { announce } from "../parts/announcer.js";
import { showFieldErrors } from "../parts/field.js";
import { likenessForm } from "../parts/likenesses/form.js";
import { likenessList } from "../parts/likenesses/list.js";
import { routeLink } from "../parts/link.js";
import { errorNotice, loading } from "../parts/message.js";
import { onSubmit, submitErrorText } from "../parts/submitting.js";

/** Photos of a person are not kept in the browser. */
const NOWHERE = { getItem: () => null, setItem: () => {}, removeItem: () => {} };

/** Shared by all visits to this view, so that uploads continue while other views are shown. */
const photos = new StartPictures({
  upload: uploadPicture,
  preview: previewOf,
  mayUpload: () => currentSession() !== null,
  storage: NOWHERE,
});
/** What the photos show, as the user said last. */
let shown = null;
beforeLogout(() => photos.clear());
// A session that has expired, or has ended with its account, may be followed by another user's.
let owner = currentSession()?.user.id;
onSessionChange((me) => {
  if (me === null) return;
  if (owner !== undefined && owner !== me.user.id) photos.clear();
  owner = me.user.id;
});

/** Likenesses: five photos become a code, and the user's codes with what can be done with them. */
export function likenessesView({ signal }) {
  const place = element("div", { class: "likenesses" }, loading());
  const head = element(
    "div",
    { class: "likenesses-head" },
    element("h1", { class: "display" }, t("likenesses.title")),
    element("p", {}, t("likenesses.lead")),
  );

  async function load() {
    fill(place, loading());
    try {
      const [me, presets] = await Promise.all([currentSession() ?? refreshSession(), getPresets({ signal })]);
      signal.throwIfAborted();
      const offer = presets.trains_likenesses
        ? null
        : element("p", { class: "notice", role: "status" }, t("likenesses.not_offered"));
      if (me === null) return fill(place, offer ?? guestNotice());
      const list = likenessList({ canUse: isShown(presets, "likeness"), signal });
      await list.load();
      signal.throwIfAborted();
      fill(place, offer ?? formNode(list, signal), list.node);
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.status === 401) return redirectToLogin({ replace: true });
      fill(place, errorNotice(error, load));
    }
  }
  load();
  return { title: t("likenesses.title"), node: element("div", { class: "page" }, head, place) };
}

function guestNotice() {
  const attributes = { class: "button is-main" };
  return element(
    "div",
    { class: "likenesses-guest" },
    element("p", {}, t("likenesses.guest")),
    element("p", {}, routeLink("/login?next=%2Flikenesses", attributes, t("nav.login"))),
  );
}

function formNode(list, signal) {
  const form = likenessForm({ photos, chosen: photos.items.length > 0 ? shown : null, signal });
  onSessionChange((me) => me && photos.sendWaiting(), { signal });
  if (currentSession()) photos.sendWaiting();
  const { subject } = form.fields;
  checkAsTheyCome(photos, { check: checkPhotos, subject: subject.value, signal });
  shown = subject.value();
  subject.node.addEventListener("change", () => {
    shown = subject.value();
    photos.unjudge(); // faces count only in photos of a person
  });
  onSubmit(form, () => submit(form, list, signal));
  return form.node;
}

async function submit(form, list, signal) {
  form.showError(null);
  let keys = [];
  try {
    form.showStep("create.arriving");
    await photos.settled(signal);
    if (photos.items.some(({ state }) => state === "waiting")) return redirectToLogin(); // the session has expired
    const missing = form.missing();
    if (Object.keys(missing).length > 0) return void showFieldErrors(form.fields, { fields: missing });
    form.showStep("likenesses.looking");
    const body = form.body();
    keys = body.photos;
    const likeness = await submitOnce(body, { source: "likeness", signal, submit: submitLikeness });
    refreshSession().catch(() => {});
    photos.clear();
    form.reset();
    shown = form.fields.subject.value();
    list.add(likeness);
    announce(t("likenesses.accepted"));
  } catch (error) {
    if (isAborted(error, signal)) return;
    if (error.status === 401) return redirectToLogin();
    const shown = showFieldErrors(form.fields, byPhoto(keys, error));
    form.showError(shown > 0 ? t("error.field") : submitErrorText(error));
  }
}

/** Show what is wrong with single photos at their tiles; return the errors with one for all of them. */
function byPhoto(keys, error) {
  const refused = refusedPhotos(keys, error);
  if (refused === null) return error;
  photos.judge(keys, refused);
  return { fields: { ...error.fields, photos: t("likenesses.photos.look") }, reasons: error.reasons };
}
