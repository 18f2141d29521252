import { changePassword } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { accountForm } from "./account-form.js";
import { accountPart } from "./account-part.js";
import { field } from "./field.js";
import { ownPassword } from "./own-password.js";

/** Create the form that changes the password, or gives an account its first one. */
export function passwordForm(user, ways, signal) {
  const old = ownPassword(ways, t("password.old"));
  const secret = { type: "password", autocomplete: "new-password", required: true };
  const fresh = field({ name: "new_password", label: t("password.new"), ...secret });
  fresh.showHint(t("account.password.hint"));
  async function send() {
    await changePassword({ password: old.value(), new_password: fresh.input.value }, { signal });
    return t("password.changed");
  }
  const fields = { password: old, new_password: fresh };
  const label = t(ways.hasPassword ? "password.submit" : "password.first");
  return accountPart(t("password.title"), accountForm({ user, fields, label, send, signal }));
}
