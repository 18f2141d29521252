import { requestReset, resetPassword } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { field } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { addressShown, linkParts, onceForm } from "../parts/mail-link.js";

/** A new password: the form for the address, or, behind a mail's link, the one for the password. */
export function resetView({ signal }) {
  const { token, email } = linkParts();
  const form = token === null ? requestForm(signal) : passwordForm(token, email, signal);
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
  return onceForm({ email }, t("reset.request"), [email.node], signal, async () => {
    await requestReset({ email: email.input.value.trim() }, { signal });
    return [t("reset.sent")];
  });
}

function passwordForm(token, address, signal) {
  const password = field({
    name: "password",
    label: t("reset.password"),
    type: "password",
    autocomplete: "new-password",
    required: true,
    hint: t("account.password.hint"),
  });
  return onceForm({ password }, t("reset.submit"), [addressShown(address), password.node], signal, async () => {
    await resetPassword({ token, password: password.input.value }, { signal });
    return [`${t("reset.done")} `, routeLink("/login", {}, t("login.submit"))];
  });
}
