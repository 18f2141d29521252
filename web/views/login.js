import { getPresets, logIn, signUp } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { fieldOf } from "../lib/presets.js";
import { navigate } from "../lib/router.js";
import { safeNext } from "../lib/routes.js";
import { startSession } from "../lib/session.js";
import { field, showFieldErrors } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { providerError, providerSignIn } from "../parts/provider-sign-in.js";

export const loginView = (context) => accountView({ ...context, mode: "login", other: "signup", send: logIn });
export const signupView = (context) => accountView({ ...context, mode: "signup", other: "login", send: signUp });

/** The form for login and signup. Afterwards the user is sent to `?next=`. */
function accountView({ mode, other, send, query, signal }) {
  const next = safeNext(query.get("next"), location.origin, "/create");
  const fields = accountFields(mode);
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main" }, t(`${mode}.submit`));
  const form = element("form", { novalidate: true }, fields.email.node, fields.password.node, alert, button);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    fill(alert);
    try {
      const answer = await send(
        { email: fields.email.input.value.trim(), password: fields.password.input.value },
        { signal },
      );
      if (answer.status === 202) return fill(form, element("p", { role: "status" }, t("signup.mail")));
      await startSession();
      navigate(next, { replace: true });
    } catch (error) {
      if (isAborted(error, signal)) return;
      const shown = error.name === "ApiError" && showFieldErrors(fields, error);
      if (!shown) fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  });
  const elsewhere = providerSignIn(next);
  const refusal = element("p", { class: "form-error", role: "alert" }, providerError(query.get("error")));
  const reset = mode === "login" && element("p", { class: "hint" }, routeLink("/reset", {}, t("reset.link")));
  const search = query.has("next") ? `?next=${encodeURIComponent(next)}` : "";
  const change = element(
    "p",
    { class: "hint" },
    `${t(`${mode}.other`)} `,
    routeLink(`/${other}${search}`, {}, t(`${other}.submit`)),
  );
  const node = element(
    "div",
    { class: "page account-page" },
    element("h1", { class: "display" }, t(`${mode}.heading`)),
    refusal,
    form,
    elsewhere.node,
    reset,
    change,
  );
  // Where it cannot be found out what this site offers, the forms say it.
  getPresets({ signal })
    .then((presets) => {
      elsewhere.show(presets.sign_in);
      for (const part of [form, change]) part.hidden = !presets.sign_in.local;
      if (reset) reset.hidden = !presets.sign_in.local || fieldOf(presets, "notify").offered === false;
    })
    .catch(() => {});
  return { title: t(`${mode}.title`), node };
}

function accountFields(mode) {
  const email = field({
    name: "email",
    label: t("account.email"),
    type: "email",
    autocomplete: "email",
    required: true,
  });
  const password = field({
    name: "password",
    label: t("account.password"),
    type: "password",
    autocomplete: mode === "login" ? "current-password" : "new-password",
    required: true,
    hint: mode === "login" ? null : t("account.password.hint"),
  });
  return { email, password };
}
