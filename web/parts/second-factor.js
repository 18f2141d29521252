import { beginTotp, confirmTotp, endTotp, renewRecoveryCodes } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { announce } from "./announcer.js";
import { codeField } from "./code-field.js";
import { copyButton } from "./copy-button.js";
import { field, showFieldErrors } from "./field.js";

/** Create the part of the account page that switches the second factor on and off. */
export function secondFactor(me, signal) {
  const title = t("factor.title");
  const place = element("div", { class: "factor" });
  const show = (...nodes) => fill(place, ...nodes);

  function showOff() {
    const start = (values) => beginTotp(values, { signal });
    show(element("p", {}, t("factor.hint")), factorForm(me, signal, ["password"], "factor.begin", start, showNew));
  }
  function showNew({ secret, uri, qr_svg: drawn }) {
    const src = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
    const confirm = (values) => confirmTotp(values, { signal });
    const form = factorForm(me, signal, ["code"], "factor.confirm", confirm, ({ recovery_codes: codes }) => {
      announce(t("factor.on"));
      showOn(codes);
    });
    show(
      element("p", {}, t("factor.scan")),
      element("img", { class: "factor-qr", src, alt: t("factor.qr"), width: 200, height: 200 }),
      element("p", {}, t("factor.type"), " ", element("code", {}, secret.match(/.{1,4}/g).join(" "))),
      element("p", {}, element("a", { href: uri }, t("factor.open"))),
      form,
    );
    form.querySelector("input:not([hidden])").focus();
  }
  function showOn(codes = null) {
    const both = ["password", "code"];
    const renew = (values) => renewRecoveryCodes(values, { signal });
    const renewed = ({ recovery_codes: fresh }) => {
      announce(t("factor.renewed"));
      showOn(fresh);
    };
    const end = (values) => endTotp(values, { signal });
    const ended = () => {
      announce(t("factor.off"));
      showOff();
      place.querySelector("input:not([hidden])").focus();
    };
    show(
      element("p", {}, t("factor.is.on")),
      codes && recoveryCodes(codes),
      element(
        "details",
        {},
        element("summary", {}, t("factor.change")),
        factorForm(me, signal, both, "factor.renew", renew, renewed),
        factorForm(me, signal, both, "factor.end", end, ended, "is-danger"),
      ),
    );
    place.querySelector(".secret")?.focus();
  }
  if (me.second_factor) showOn();
  else showOff();
  return element("section", { class: "account-part", "aria-label": title }, element("h2", {}, title), place);
}

/** Show the codes, which cannot be shown again. */
function recoveryCodes(codes) {
  const list = element(
    "ol",
    { class: "recovery-codes", "aria-label": t("factor.codes") },
    codes.map((code) => element("li", {}, element("code", {}, code))),
  );
  const words = element("p", {}, t("factor.codes.hint"));
  return element(
    "div",
    { class: "secret", tabindex: -1 },
    words,
    list,
    copyButton(codes.join("\n"), t("factor.codes.copy")),
  );
}

/** A form of the named fields; `send` gets their values, `onDone` its answer. */
function factorForm(me, signal, names, label, send, onDone, look = "") {
  const all = { password: passwordField, code: codeField };
  const fields = Object.fromEntries(names.map((name) => [name, all[name]()]));
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: `button ${look}` }, t(label));
  // Password managers need the user name.
  const name = element("input", { type: "email", autocomplete: "username", value: me.user.email, hidden: true });
  const nodes = Object.values(fields).map(({ node }) => node);
  const actions = element("div", { class: "actions" }, button);
  const form = element("form", { novalidate: true, "aria-label": t(label) }, name, nodes, alert, actions);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    button.disabled = true;
    try {
      const values = Object.entries(fields).map(([key, { input }]) => [key, input.value]);
      onDone(await send(Object.fromEntries(values)));
    } catch (error) {
      if (!isAborted(error, signal)) showRefusal(error);
    } finally {
      button.disabled = false;
    }
  });
  /** What was typed is wrong, or the session has expired: both are 401, only the code differs. */
  function showRefusal(error) {
    if (error.code === "bad_credentials") {
      const what = names.join("_");
      return fill(alert, t(`factor.wrong.${what}`));
    }
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (!showFieldErrors(fields, error)) fill(alert, errorText(error));
  }
  return form;
}

function passwordField() {
  const attributes = { type: "password", autocomplete: "current-password", required: true };
  return field({ name: "password", label: t("account.password"), ...attributes });
}
