import { confirmEmail } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { startSession } from "../lib/session.js";
import { field } from "../parts/field.js";
import { routeLink } from "../parts/link.js";
import { addressShown, linkParts, onceForm } from "../parts/mail-link.js";

/** The page of the link that confirms an address. It waits for a click, since mail programs open links by themselves. */
export function verifyView({ signal }) {
  const link = linkParts();
  const title = t(link.password === "new" ? "verify.new.title" : "verify.title");
  const form = link.token === null ? element("p", {}, t("verify.missing")) : formOf(link, signal);
  const heading = element("h1", { class: "display" }, title);
  return { title, node: element("div", { class: "page account-page" }, heading, form) };
}

function formOf({ token, email, password }, signal) {
  if (password === null) return changeForm(token, email ?? "", signal);
  const isNew = password === "new";
  const secret = field({
    name: "password",
    label: t("account.password"),
    type: "password",
    autocomplete: isNew ? "new-password" : "current-password",
    required: true,
    hint: isNew ? t("account.password.hint") : null,
  });
  const submit = t(isNew ? "verify.new.submit" : "verify.submit");
  return onceForm({ password: secret }, submit, [addressShown(email), secret.node], signal, async () => {
    await confirmEmail({ token, password: secret.input.value }, { signal });
    if (isNew) return [`${t("verify.new.done")} `, routeLink("/login", {}, t("login.submit"))];
    return [`${t("verify.confirmed")} `, routeLink("/account", {}, t("account.title"))];
  });
}

/** Another address for an account. The link suffices: it was asked for with the password. */
function changeForm(token, email, signal) {
  const hint = element("p", {}, t("verify.hint", { email }));
  return onceForm({}, t("verify.submit"), [hint], signal, async () => {
    await confirmEmail({ token }, { signal });
    await startSession();
    return [t("verify.done")];
  });
}
