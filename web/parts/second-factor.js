import { beginTotp, confirmTotp, endTotp, renewRecoveryCodes } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { accountForm } from "./account-form.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { codeField } from "./code-field.js";
import { copyButton } from "./copy-button.js";
import { field } from "./field.js";

/** Create the part of the account page that switches the second factor on and off. */
export function secondFactor(me, signal) {
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
  return accountPart(t("factor.title"), place);
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
  const what = names.join("_");
  async function sendAll() {
    const values = Object.entries(fields).map(([key, { input }]) => [key, input.value]);
    onDone(await send(Object.fromEntries(values)));
  }
  const explain = ({ code }) => code === "bad_credentials" && t(`factor.wrong.${what}`);
  const form = accountForm({ user: me.user, fields, label: t(label), look, send: sendAll, explain, signal });
  form.setAttribute("aria-label", t(label));
  return form;
}

function passwordField() {
  const attributes = { type: "password", autocomplete: "current-password", required: true };
  return field({ name: "password", label: t("account.password"), ...attributes });
}
