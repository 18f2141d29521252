import { requestReset, resetPassword } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { field, showFieldErrors } from "../parts/field.js";
import { routeLink } from "../parts/link.js";

/**
 * A new password: the form for the address, or, behind a mail's link, the one for the password.
 *
 * The link has its secret after the `#`, which no server sees. It is taken out of the address bar and the history.
 */
export function resetView({ signal }) {
  const link = new URLSearchParams(location.hash.slice(1));
  const secret = link.get("token");
  if (secret !== null) history.replaceState(history.state, "", location.pathname);
  const form = secret === null ? requestForm(signal) : passwordForm(secret, link.get("email") ?? "", signal);
  const heading = element("h1", { class: "display" }, t("reset.heading"));
  return { title: t("reset.title"), node: element("div", { class: "page account-page" }, heading, form) };
}

function requestForm(signal) {
  const email = field({
    name: "email",
    label: t("account.email"),
    type: "email",
    autocomplete: "username",
    required: true,
    hint: t("reset.hint"),
  });
  return resetForm({ email }, t("reset.request"), [email.node], signal, async () => {
    await requestReset({ email: email.input.value.trim() }, { signal });
    return [t("reset.sent")];
  });
}

function passwordForm(token, address, signal) {
  // Shown, so that a password manager and its user know whose password it is.
  const email = field({
    name: "email",
    label: t("account.email"),
    type: "email",
    autocomplete: "username",
    value: address,
    readonly: true,
  });
  const password = field({
    name: "password",
    label: t("reset.password"),
    type: "password",
    autocomplete: "new-password",
    required: true,
    hint: t("account.password.hint"),
  });
  const parts = address ? [email.node, password.node] : [password.node];
  return resetForm({ password }, t("reset.submit"), parts, signal, async () => {
    await resetPassword({ token, password: password.input.value }, { signal });
    return [`${t("reset.done")} `, routeLink("/login", {}, t("login.submit"))];
  });
}

/** Create a form that is replaced by the words that `send` resolves to. They get the focus. */
function resetForm(fields, submit, parts, signal, send) {
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main" }, submit);
  const form = element("form", { novalidate: true }, ...parts, alert, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    fill(alert);
    try {
      const done = element("p", { tabindex: -1 }, await send());
      fill(form, done);
      done.focus();
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.name !== "ApiError" || !showFieldErrors(fields, error)) fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
