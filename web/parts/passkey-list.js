import { addPasskey, beginPasskey, listPasskeys, removePasskey } from "../lib/api.js";
import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { hasPasskeys, makePasskey } from "../lib/passkeys.js";
import { dayOf, timeAgo } from "../lib/time.js";
import { accountForm } from "./account-form.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { codeField } from "./code-field.js";
import { field } from "./field.js";
import { ownPassword } from "./own-password.js";
import { pages } from "./pages.js";

/** Create the list of the user's passkeys: one is added, or removed, with what else a log-in needs. */
export function passkeyList(me, ways, domain, signal) {
  const title = t("passkeys.title");
  const list = element("ul", { class: "tokens", "aria-label": title });
  const all = pages({
    list,
    load: async () => ({ items: (await listPasskeys({ signal })).passkeys, next: null }),
    show: (passkeys) => list.append(...passkeys.map((passkey) => row(passkey, me, ways, signal))),
    signal,
  });
  all.start();
  const form = hasPasskeys(domain)
    ? addForm(me, ways, signal, (passkey) => list.prepend(row(passkey, me, ways, signal)))
    : element("p", { class: "hint" }, t("passkeys.elsewhere", { domain }));
  return accountPart(title, element("p", {}, t("passkeys.hint")), list, all.node, form);
}

function addForm(me, ways, signal, onAdded) {
  const name = field({ name: "name", label: t("passkeys.name"), maxlength: 100, autocomplete: "off", required: true });
  async function ask() {
    if (name.input.value.trim() !== "") return true;
    name.showError(t("passkeys.name.missing"));
    name.input.focus();
    return false;
  }
  async function send(proof) {
    const { options } = await beginPasskey(proof, { signal });
    const credential = await makePasskey(options, signal);
    onAdded(await addPasskey({ name: name.input.value.trim(), credential }, { signal }));
    return t("passkeys.added");
  }
  return confirmedForm(me, ways, signal, { label: "passkeys.add", more: { name }, ask, send });
}

function row(passkey, me, ways, signal) {
  const { id, name, created_at: made, last_used_at: used } = passkey;
  async function send(proof) {
    try {
      await removePasskey(id, proof, { signal });
    } catch (error) {
      if (error.status !== 404) throw error; // else it was removed in another tab
    }
    node.remove();
    announce(t("passkeys.removed"));
  }
  const times = [
    t("tokens.made", { day: dayOf(made) }),
    used === null ? t("tokens.unused") : t("tokens.used", { when: timeAgo(used) }),
  ];
  const summary = element("summary", { "aria-label": t("passkeys.remove.label", { name }) }, t("passkeys.remove"));
  const node = element(
    "li",
    {},
    element("span", { class: "token-name" }, name),
    element("span", { class: "hint token-details" }, times.join(" · ")),
    element(
      "details",
      {},
      summary,
      confirmedForm(me, ways, signal, { label: "passkeys.remove", look: "is-danger", send }),
    ),
  );
  return node;
}

/**
 * Create a form that asks for the password, or a fresh sign-in at the provider, and the code of a second factor.
 *
 * `send` gets these; `more` are its own fields, by the API's names.
 */
function confirmedForm(me, ways, signal, { label, look = "", more = {}, ask = null, send }) {
  const password = ownPassword(ways);
  const code = codeField(t("factor.code.hint"));
  code.node.hidden = !me.second_factor; // unless the factor was switched on since
  const form = accountForm({
    user: me.user,
    fields: { ...more, password, code },
    label: t(label),
    look,
    ask,
    send: () => send({ password: password.value(), ...(!code.node.hidden && { code: code.input.value }) }),
    explain,
    signal,
  });
  form.setAttribute("aria-label", t(label));
  return form;

  function explain(error) {
    if (error.name === "PasskeyError") return t(`passkeys.${error.code}`);
    if (error.code === "code_required") {
      code.node.hidden = false;
      code.input.focus();
      return t("factor.code.hint");
    }
    if (error.code === "bad_credentials" && !code.node.hidden) return t("factor.wrong.password_code");
    if (error.fields?.passkeys) return t("passkeys.many");
    return error.fields?.credential && t("passkeys.failed");
  }
}
