import { addPasskey, beginPasskey, listPasskeys, removePasskey } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { hasPasskeys, makePasskey } from "../lib/passkeys.js";
import { dayOf, timeAgo } from "../lib/time.js";
import { announce } from "./announcer.js";
import { codeField } from "./code-field.js";
import { field, showFieldErrors } from "./field.js";
import { errorNotice } from "./message.js";
import { ownPassword } from "./own-password.js";

/** Create the list of the user's passkeys: one is added, or removed, with what else a log-in needs. */
export function passkeyList(me, ways, domain, signal) {
  const title = t("passkeys.title");
  const list = element("ul", { class: "tokens", "aria-label": title });
  const notice = element("div");

  async function load() {
    fill(notice);
    try {
      const { passkeys } = await listPasskeys({ signal });
      signal.throwIfAborted();
      fill(list, ...passkeys.map((passkey) => row(passkey, me, ways, signal)));
    } catch (error) {
      if (!isAborted(error, signal)) fill(notice, errorNotice(error, load));
    }
  }
  load();
  const form = hasPasskeys(domain)
    ? addForm(me, ways, signal, (passkey) => list.prepend(row(passkey, me, ways, signal)))
    : element("p", { class: "hint" }, t("passkeys.elsewhere", { domain }));
  return element(
    "section",
    { class: "account-part", "aria-label": title },
    element("h2", {}, title),
    element("p", {}, t("passkeys.hint")),
    list,
    notice,
    form,
  );
}

function addForm(me, ways, signal, onAdded) {
  const name = field({ name: "name", label: t("passkeys.name"), maxlength: 100, autocomplete: "off", required: true });
  const form = confirmedForm(me, ways, signal, {
    label: "passkeys.add",
    more: { name },
    async send(proof) {
      if (name.input.value.trim() === "") {
        name.showError(t("passkeys.name.missing"));
        return name.input.focus();
      }
      const { options } = await beginPasskey(proof, { signal });
      const credential = await makePasskey(options, signal);
      const passkey = await addPasskey({ name: name.input.value.trim(), credential }, { signal });
      form.reset();
      onAdded(passkey);
      announce(t("passkeys.added"));
    },
  });
  return form;
}

function row(passkey, me, ways, signal) {
  const { id, name, created_at: made, last_used_at: used } = passkey;
  const form = confirmedForm(me, ways, signal, {
    label: "passkeys.remove",
    look: "is-danger",
    async send(proof) {
      try {
        await removePasskey(id, proof, { signal });
      } catch (error) {
        if (error.status !== 404) throw error; // else it was removed in another tab
      }
      node.remove();
      announce(t("passkeys.removed"));
    },
  });
  const times = [
    t("tokens.made", { day: dayOf(made) }),
    used === null ? t("tokens.unused") : t("tokens.used", { when: timeAgo(used) }),
  ];
  const node = element(
    "li",
    {},
    element("span", { class: "token-name" }, name),
    element("span", { class: "hint token-details" }, times.join(" · ")),
    element(
      "details",
      {},
      element("summary", { "aria-label": t("passkeys.remove.label", { name }) }, t("passkeys.remove")),
      form,
    ),
  );
  return node;
}

/**
 * Create a form that asks for the password, or a fresh sign-in at the provider, and the code of a second factor.
 *
 * `send` gets these; `more` are its own fields, by the API's names.
 */
function confirmedForm(me, ways, signal, { label, look = "", more = {}, send }) {
  const password = ownPassword(ways);
  const code = codeField(t("factor.code.hint"));
  code.node.hidden = !me.second_factor; // unless the factor was switched on since
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: `button ${look}` }, t(label));
  // Password managers need the user name.
  const user = element("input", { type: "email", autocomplete: "username", value: me.user.email, hidden: true });
  const nodes = [...Object.values(more), password, code].map(({ node }) => node);
  const actions = element("div", { class: "actions" }, button);
  const form = element("form", { novalidate: true, "aria-label": t(label) }, user, nodes, alert, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    button.disabled = true;
    try {
      await send({ password: password.value(), ...(!code.node.hidden && { code: code.input.value }) });
    } catch (error) {
      if (!isAborted(error, signal)) showRefusal(error);
    } finally {
      button.disabled = false;
    }
  });
  /** What was typed is wrong, or the session has expired: both are 401, only the code differs. */
  function showRefusal(error) {
    if (error.name === "PasskeyError") return fill(alert, t(`passkeys.${error.code}`));
    if (error.code === "code_required") {
      code.node.hidden = false;
      return code.input.focus();
    }
    if (error.code === "bad_credentials")
      return fill(alert, t(code.node.hidden ? "account.password.wrong" : "factor.wrong.password_code"));
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (error.fields?.passkeys) return fill(alert, t("passkeys.many"));
    if (error.fields?.credential) return fill(alert, t("passkeys.failed"));
    if (!showFieldErrors({ password, ...more }, error)) fill(alert, errorText(error));
  }
  return form;
}
