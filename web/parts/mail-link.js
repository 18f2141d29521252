import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { field, showFieldErrors } from "./field.js";

/**
 * Return what the link of a mail has after the `#`, which no server sees: `{token, email, password}`, null where it
 * lacks one. The secret is taken out of the address bar and the history.
 */
export function linkParts() {
  const link = new URLSearchParams(location.hash.slice(1));
  if (link.has("token")) history.replaceState(history.state, "", location.pathname);
  return { token: link.get("token"), email: link.get("email"), password: link.get("password") };
}

/** Show the address of a link, so that a password manager and its user know whose password it is; null without one. */
export function addressShown(address) {
  if (!address) return null;
  const name = { name: "email", label: t("account.email"), type: "email", autocomplete: "username" };
  return field({ ...name, value: address, readonly: true }).node;
}

/** Create a form that is replaced by the words that `send` resolves to. They get the focus. */
export function onceForm(fields, submit, parts, signal, send) {
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
