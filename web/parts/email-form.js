import { changeEmail } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { field, showFieldErrors } from "./field.js";
import { ownPassword } from "./own-password.js";

/** Create the form that sends a link to another address of the account. */
export function emailForm(user, ways, signal) {
  const name = element("input", { type: "email", autocomplete: "username", value: user.email, hidden: true });
  const email = field({ name: "email", label: t("email.new"), type: "email", autocomplete: "email", required: true });
  email.showHint(t("email.hint"));
  const password = ownPassword(ways);
  const alert = element("p", { class: "form-error", role: "alert" });
  const said = element("p", { class: "hint", role: "status" });
  const button = element("button", { class: "button" }, t("email.submit"));
  const actions = element("div", { class: "actions" }, button);
  const form = element("form", { novalidate: true }, name, email.node, password.node, alert, said, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    fill(said);
    button.disabled = true;
    try {
      await changeEmail({ email: email.input.value.trim(), password: password.value() }, { signal });
      form.reset();
      fill(said, t("email.sent"));
    } catch (error) {
      if (!isAborted(error, signal)) showRefusal(error);
    } finally {
      button.disabled = false;
    }
  });
  /** A wrong password and an expired session are both 401; only the code differs. */
  function showRefusal(error) {
    if (error.code === "bad_credentials") {
      password.showError(t("account.password.wrong"));
      return password.input.focus();
    }
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (!showFieldErrors({ email, password }, error)) fill(alert, errorText(error));
  }
  const title = t("email.title");
  return element("section", { class: "account-part", "aria-label": title }, element("h2", {}, title), form);
}
