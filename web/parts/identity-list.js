import { connectIdentity, disconnectIdentity } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { dayOf } from "../lib/time.js";
import { accountForm } from "./account-form.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { ownPassword } from "./own-password.js";
import { providerError } from "./provider-sign-in.js";

/** Create the list of the user's accounts at the provider, and the form that connects another one. */
export function identityList(user, ways, code, signal) {
  const title = t("identities.title");
  const list = element(
    "ul",
    { class: "tokens", "aria-label": title },
    ...ways.identities.map((one) => row(one, signal)),
  );
  const password = ownPassword(ways);
  async function send() {
    const { url } = await connectIdentity({ password: password.value() }, { signal });
    location.assign(url);
  }
  const label = t("identities.connect", { provider: ways.provider });
  const form = accountForm({ user, fields: { password }, label, send, refusal: providerError(code), signal });
  const hint = element("p", { class: "hint" }, t("identities.hint", { provider: ways.provider }));
  return accountPart(title, hint, list, form);
}

function row(identity, signal) {
  const name = identity.email ?? new URL(identity.issuer).host;
  const attributes = { type: "button", class: "button is-quiet", "aria-label": t("identities.end.label", { name }) };
  const button = element("button", { ...attributes, on: { click: end } }, t("identities.end"));
  const error = element("p", { class: "form-error", role: "alert" });
  const node = element(
    "li",
    {},
    element("span", { class: "token-name" }, name),
    element("span", { class: "hint" }, t("sessions.used", { when: dayOf(identity.last_used_at) })),
    button,
    error,
  );
  async function end() {
    button.disabled = true;
    try {
      await disconnectIdentity(identity.id, { signal });
    } catch (failed) {
      if (isAborted(failed, signal)) return;
      if (failed.status !== 404) {
        button.disabled = false;
        return fill(error, errorText(failed)); // else it was disconnected in another tab
      }
    }
    node.remove();
    announce(t("identities.ended"));
  }
  return node;
}
