import { getPresets, submitScene } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { readSceneDraft, saveSceneDraft } from "../lib/draft.js";
import { isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { checkCodes, codesOf } from "../lib/likeness-codes.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { navigate } from "../lib/router.js";
import { fetchCatalogue, renewal } from "../lib/scene-catalogue.js";
import { sceneBody } from "../lib/scene-request.js";
import { currentSession, refreshSession } from "../lib/session.js";
import { showFieldErrors } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { emptyNotice, errorNotice, loading } from "../parts/message.js";
import { sceneForm } from "../parts/scenes/form.js";
import { onSubmit, submitErrorText } from "../parts/submitting.js";

/** The form of a scene, a person in a place. Its content is kept between visits. */
export function scenesView({ signal }) {
  const place = element("div", {}, loading());
  const head = element(
    "div",
    { class: "scene-head" },
    element("h1", { class: "display" }, t("scenes.heading")),
    element("p", {}, t("scenes.lead")),
  );
  async function load() {
    fill(place, loading());
    try {
      const [catalogue, presets] = await Promise.all([fetchCatalogue({ signal }), getPresets({ signal })]);
      const missing = whatIsMissing(catalogue);
      if (missing !== null) return void fill(place, emptyNotice(t(missing), otherPage()));
      const form = sceneForm({ catalogue, presets, draft: readSceneDraft(), renew: renewal({ signal }), signal });
      fill(place, form.node);
      wire(form, signal);
    } catch (error) {
      if (!isAborted(error, signal)) fill(place, errorNotice(error, load));
    }
  }
  load();
  return { title: t("scenes.title"), node: element("div", { class: "page" }, head, place) };
}

function whatIsMissing({ places, actions, isOffered }) {
  if (!isOffered) return "scenes.not_offered";
  return places.length === 0 || actions.length === 0 ? "scenes.empty" : null;
}

const otherPage = () => routeLink("/create", { class: "button is-main" }, t("scenes.other"));

function wire(form, signal) {
  const keep = () => {
    const { action, ...values } = form.values();
    saveSceneDraft({ ...values, action, dynamic_action: action === null });
  };
  form.node.addEventListener("input", keep);
  onSubmit(form, () => {
    keep();
    return submit(form, signal);
  });
}

/** Submit the form: go to the new job's page, or show the error. */
async function submit(form, signal) {
  form.showError(null);
  const wrong = checkCodes(codesOf(form.values().likeness));
  if (wrong) {
    showFieldErrors(form.fields, { fields: { likeness: wrong.code }, reasons: { likeness: wrong } });
    return form.showError(t("error.field"));
  }
  form.showStep("create.sending");
  try {
    if (currentSession() === undefined) await refreshSession();
    if (currentSession() === null) return redirectToLogin();
    const job = await submitOnce(sceneBody(form.values()), { source: "scene", signal, submit: submitScene });
    refreshSession().catch(() => {});
    navigate(`/pictures/${job.id}`);
  } catch (error) {
    if (isAborted(error, signal)) return;
    if (error.status === 401) return redirectToLogin();
    showFieldErrors(form.fields, inOwnWords(error));
    form.showError(submitErrorText(error));
  }
}

/** Say what to do where no action is like the user's words. */
function inOwnWords({ fields, reasons }) {
  if (reasons.action_prompt?.code !== "not_a_choice") return { fields, reasons };
  const { action_prompt: _, ...others } = reasons;
  return { fields: { ...fields, action_prompt: t("scenes.no_action") }, reasons: others };
}
