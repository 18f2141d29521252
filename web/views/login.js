import { getPresets, logIn, signUp } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { rememberedLanguage } from "../lib/language.js";
import { fieldOf } from "../lib/presets.js";
import { navigate } from "../lib/router.js";
import { safeNext } from "../lib/routes.js";
import { startSession } from "../lib/session.js";
import { codeField } from "../parts/code-field.js";
import { field, showFieldErrors } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { passkeySignIn } from "../parts/passkey-sign-in.js";
import { providerError, providerSignIn } from "../parts/provider-sign-in.js";
import { sentMail } from "../parts/sent-mail.js";

export const loginView = (context) => accountView({ ...context, mode: "login", other: "signup", send: logIn });
export const signupView = (context) => accountView({ ...context, mode: "signup", other: "login", send: signUp });

/** The form for login and signup. Afterwards the user is sent to `?next=`. */
function accountView({ mode, other, send, query, signal }) {
  const next = safeNext(query.get("next"), location.origin, "/create");
  const fields = accountFields(mode);
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main" }, t(`${mode}.submit`));
  const code = codeField(t("factor.code.hint"));
  code.node.hidden = true; // until the account turns out to need one
  const form = element("form", { novalidate: true }, fields.email.node, fields.password.node, code.node, alert, button);

  const known = mode === "signup" ? leaveOutPassword(fields.password, signal) : null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    fill(alert);
    try {
      await known;
      const body = { email: fields.email.input.value.trim() };
      if (!fields.password.node.hidden) body.password = fields.password.input.value;
      if (!code.node.hidden) body.code = code.input.value;
      if (mode === "signup") body.language = rememberedLanguage();
      const answer = await send(body, { signal });
      if (answer.status === 202) return showSent(body);
      await enter();
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.code === "code_required") {
        code.node.hidden = false;
        return code.input.focus();
      }
      if (error.code === "bad_credentials" && !code.node.hidden) return fill(alert, t("factor.wrong.password_code"));
      const shown = error.name === "ApiError" && showFieldErrors(fields, error);
      if (!shown) fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  });
  async function enter() {
    await startSession();
    navigate(next, { replace: true });
  }
  function showSent(body) {
    const sent = sentMail(t("signup.mail", { email: body.email }), () => send(body, { signal }), signal);
    fill(form, sent.node);
    sent.focus();
  }
  const elsewhere = providerSignIn(next);
  const passkey = mode === "login" ? passkeySignIn(enter, signal) : null;
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
    passkey?.node,
    elsewhere.node,
    reset,
    change,
  );
  // Where it cannot be found out what this site offers, the forms say it.
  getPresets({ signal })
    .then((presets) => {
      elsewhere.show(presets.sign_in);
      passkey?.show(presets.sign_in);
      for (const part of [form, change]) part.hidden = !presets.sign_in.local;
      if (reset) reset.hidden = !presets.sign_in.local || fieldOf(presets, "notify").offered === false;
    })
    .catch(() => {});
  return { title: t(`${mode}.title`), node };
}

/**
 * Leave out the password where addresses are confirmed: it is set with the link in the mail, by whoever gets that.
 *
 * Returns a promise that resolves once that is known, or cannot be found out: then the server says it.
 */
function leaveOutPassword(password, signal) {
  return getPresets({ signal })
    .then((presets) => {
      password.node.hidden = presets.confirms_addresses;
    })
    .catch(() => {});
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
