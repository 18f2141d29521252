import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { showFieldErrors } from "./field.js";

/**
 * Create a form for a change of the account that needs proof of who the user is.
 *
 * `fields`: by the API's names, in their order. `ask`: resolves to whether to send. `send`: resolves to the words to
 * show; without words, what comes next takes the form's place. `refusal`: what was refused before. `explain`: returns
 * the words for an error, null if it has none of its own; then the field of the password says that it is wrong.
 */
export function accountForm({
  user,
  fields,
  label,
  look = "",
  ask = null,
  send,
  refusal = null,
  explain = () => null,
  signal,
}) {
  // Password managers need the user name.
  const name = element("input", { type: "email", autocomplete: "username", value: user.email, hidden: true });
  const nodes = Object.values(fields).map(({ node }) => node);
  const alert = element("p", { class: "form-error", role: "alert" }, refusal);
  const said = element("p", { class: "hint", role: "status" });
  const button = element("button", { class: `button ${look}` }, label);
  const actions = element("div", { class: "actions" }, button);
  const form = element("form", { novalidate: true }, name, nodes, alert, said, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    fill(said);
    if (ask && !(await ask())) return;
    button.disabled = true;
    try {
      const words = await send();
      if (!words) return;
      form.reset();
      fill(said, words);
    } catch (error) {
      if (!isAborted(error, signal)) showRefusal(error);
    }
    button.disabled = false;
  });
  /** Wrong proof and an expired session are both 401; only the code differs. */
  function showRefusal(error) {
    const words = explain(error);
    if (words) return fill(alert, words);
    if (error.code === "bad_credentials") {
      fields.password.showError(t("account.password.wrong"));
      return fields.password.input.focus();
    }
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (!showFieldErrors(fields, error)) fill(alert, errorText(error));
  }
  return form;
}
