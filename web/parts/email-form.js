import { changeEmail } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { accountForm } from "./account-form.js";
import { accountPart } from "./account-part.js";
import { field } from "./field.js";
import { ownPassword } from "./own-password.js";

/** Create the form that sends a link to another address of the account. */
export function emailForm(user, ways, signal) {
  const email = field({ name: "email", label: t("email.new"), type: "email", autocomplete: "email", required: true });
  email.showHint(t("email.hint"));
  const password = ownPassword(ways);
  async function send() {
    await changeEmail({ email: email.input.value.trim(), password: password.value() }, { signal });
    return t("email.sent");
  }
  const form = accountForm({ user, fields: { email, password }, label: t("email.submit"), send, signal });
  return accountPart(t("email.title"), form);
}
