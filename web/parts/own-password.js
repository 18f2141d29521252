import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { field } from "./field.js";
import { providerAddress } from "./provider-sign-in.js";

/**
 * Create what confirms a change of the account: the field for the password, or for accounts without one a link that
 * signs in at the provider again. Returns a field with `value()`, which is undefined without a password.
 */
export function ownPassword({ hasPassword, provider }, label = t("account.password")) {
  const made = field({ name: "password", label, type: "password", autocomplete: "current-password", required: true });
  if (hasPassword) return { ...made, value: () => made.input.value };
  const link = element("a", { href: providerAddress("/account", { fresh: true }) }, t("oidc.again", { provider }));
  const node = element("p", { class: "hint" }, `${t("oidc.confirm")} `, link);
  return { ...made, node, value: () => undefined };
}
