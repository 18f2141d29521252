import { createToken, listTokens, revokeToken } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { dayOf, timeAgo } from "../lib/time.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { confirmAction } from "./confirm.js";
import { copyButton } from "./copy-button.js";
import { checkbox } from "./create/checkbox.js";
import { field, showFieldErrors } from "./field.js";
import { pages } from "./pages.js";

const PAGE = 20;
const RIGHTS = ["jobs:read", "jobs:write", "account"];

/** Create the list of API tokens with creation (the secret is shown once) and revocation. */
export function tokenList(signal) {
  const list = element("ul", { class: "tokens", "aria-label": t("tokens.title") });
  const fresh = element("div", { role: "status" });
  const more = pages({
    list,
    load: async (cursor) => {
      const { tokens: items, next } = await listTokens({ cursor, limit: PAGE }, { signal });
      return { items, next };
    },
    show: (tokens) => list.append(...tokens.map((token) => row(token, signal))),
    signal,
  });
  const form = tokenForm(signal, (token) => {
    list.prepend(row(token, signal));
    fill(fresh, secretBox(token));
  });
  more.start();
  const docs = element("a", { href: "/docs" }, t("tokens.docs"));
  return accountPart(t("tokens.title"), element("p", {}, `${t("tokens.hint")} `, docs), form, fresh, list, more.node);
}

function tokenForm(signal, onMade) {
  const name = field({ name: "name", label: t("tokens.name"), maxlength: 100, autocomplete: "off", required: true });
  const end = field({
    name: "expires_in_days",
    label: t("tokens.end"),
    type: "number",
    min: 1,
    max: 3650,
    hint: t("tokens.end.hint"),
  });
  const rights = RIGHTS.map((right) =>
    checkbox({ name: "rights", label: inWords(right), checked: right !== "account" }),
  );
  const choices = element("fieldset", { class: "choice" }, element("legend", {}, t("tokens.rights")), nodesOf(rights));
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button" }, t("tokens.make"));
  const form = element("form", { class: "token-form", novalidate: true }, name.node, end.node, choices, button, alert);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    if (name.input.value.trim() === "") {
      name.showError(t("tokens.name.missing"));
      return name.input.focus();
    }
    const chosen = RIGHTS.filter((_, index) => rights[index].value());
    if (chosen.length === 0) {
      fill(alert, t("tokens.rights.missing"));
      return rights[0].input.focus();
    }
    button.disabled = true;
    try {
      const days = end.input.value === "" ? null : Number(end.input.value);
      const body = { name: name.input.value.trim(), expires_in_days: days, rights: chosen };
      onMade(await createToken(body, { signal }));
      form.reset();
    } catch (error) {
      if (!isAborted(error, signal) && !showFieldErrors({ name, expires_in_days: end }, error))
        fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  });
  return form;
}

function inWords(right) {
  const key = right.replace(":", "_");
  return t(`tokens.right.${key}`);
}

const nodesOf = (fields) => fields.map(({ node }) => node);

/** When it was made and last used, when it ends, and what it may do. */
function describeToken({ created_at: made, last_used_at: used, expires_at: end, rights }) {
  const parts = [
    t("tokens.made", { day: dayOf(made) }),
    used === null ? t("tokens.unused") : t("tokens.used", { when: timeAgo(used) }),
    end === null ? t("tokens.endless") : t("tokens.ends", { day: dayOf(end) }),
    rights.map((right) => inWords(right)).join(", "),
  ];
  return parts.join(" · ");
}

function secretBox({ token }) {
  return element(
    "div",
    { class: "secret" },
    element("p", {}, t("tokens.once")),
    element("code", {}, token),
    copyButton(token, t("tokens.copy")),
  );
}

function row(token, signal) {
  const button = element(
    "button",
    { type: "button", class: "button is-quiet", "aria-label": t("tokens.revoke.label", token), on: { click: revoke } },
    t("tokens.revoke"),
  );
  const error = element("p", { class: "form-error", role: "alert" });
  const details = element("span", { class: "hint token-details" }, describeToken(token));
  const node = element("li", {}, element("span", { class: "token-name" }, token.name), button, details, error);
  async function revoke() {
    const words = {
      question: t("tokens.revoke.ask", token),
      detail: t("tokens.revoke.detail"),
      action: t("tokens.revoke"),
    };
    if (!(await confirmAction(words))) return;
    try {
      await revokeToken(token.id, { signal });
    } catch (failed) {
      if (isAborted(failed, signal)) return;
      if (failed.status !== 404) return fill(error, errorText(failed)); // already revoked in another tab
    }
    node.remove();
    announce(t("tokens.revoked"));
  }
  return node;
}
