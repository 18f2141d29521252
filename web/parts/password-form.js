import { changePassword } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { field, showFieldErrors } from "./field.js";
import { ownPassword } from "./own-password.js";

/** Create the form that changes the password, or gives an account its first one. */
export function passwordForm(user, ways, signal) {
  const old = ownPassword(ways, t("password.old"));
  const secret = { type: "password", autocomplete: "new-password", required: true };
  const fresh = field({ name: "new_password", label: t("password.new"), ...secret });
  fresh.showHint(t("account.password.hint"));
  const alert = element("p", { class: "form-error", role: "alert" });
  const said = element("p", { class: "hint", role: "status" });
  const button = element("button", { class: "button" }, t(ways.hasPassword ? "password.submit" : "password.first"));
  // Password managers need the user name.
  const name = element("input", { type: "email", autocomplete: "username", value: user.email, hidden: true });
  const actions = element("div", { class: "actions" }, button);
  const form = element("form", { novalidate: true }, name, old.node, fresh.node, alert, said, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    fill(said);
    button.disabled = true;
    try {
      await changePassword({ password: old.value(), new_password: fresh.input.value }, { signal });
      form.reset();
      fill(said, t("password.changed"));
    } catch (error) {
      if (!isAborted(error, signal)) showRefusal(error);
    } finally {
      button.disabled = false;
    }
  });
  /** A wrong password and an expired session are both 401; only the code differs. */
  function showRefusal(error) {
    if (error.code === "bad_credentials") {
      old.showError(t("account.password.wrong"));
      return old.input.focus();
    }
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (!showFieldErrors({ password: old, new_password: fresh }, error)) fill(alert, errorText(error));
  }
  const title = t("password.title");
  return element("section", { class: "account-part", "aria-label": title }, element("h2", {}, title), form);
}
