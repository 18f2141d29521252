import { changeMe, deleteMe, getMe, getPresets, listIdentities } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { fieldOf } from "../lib/presets.js";
import { navigate } from "../lib/router.js";
import { clearSession, endSession, refreshSession } from "../lib/session.js";
import { dayOf } from "../lib/time.js";
import { accountForm } from "../parts/account-form.js";
import { accountPart } from "../parts/account-part.js";
import { announce } from "../parts/announcer.js";
import { choice } from "../parts/choice.js";
import { confirmAction } from "../parts/confirm.js";
import { emailForm } from "../parts/email-form.js";
import { exportPanel } from "../parts/export-panel.js";
import { identityList } from "../parts/identity-list.js";
import { errorNotice, loading } from "../parts/message.js";
import { notifyButton } from "../parts/notify-button.js";
import { ownPassword } from "../parts/own-password.js";
import { passkeyList } from "../parts/passkey-list.js";
import { passwordForm } from "../parts/password-form.js";
import { secondFactor } from "../parts/second-factor.js";
import { sessionList } from "../parts/session-list.js";
import { tokenList } from "../parts/token-list.js";
import { unconfirmed } from "../parts/unconfirmed.js";
import { webhookForm } from "../parts/webhook-form.js";

/** The account page: profile, quota, settings, tokens and deletion. */
export function accountView({ query, signal }) {
  const place = element("div", { class: "account-parts" }, loading());
  const node = element("div", { class: "page" }, element("h1", { class: "display" }, t("account.heading")), place);

  async function load() {
    fill(place, loading());
    try {
      const [me, presets] = await Promise.all([refreshSession(), getPresets({ signal })]);
      signal.throwIfAborted();
      if (me === null) return redirectToLogin({ replace: true });
      const ways = await waysIn(presets.sign_in, signal);
      const mail = fieldOf(presets, "notify").offered !== false;
      fill(
        place,
        element(
          "div",
          {},
          identity(me, presets, signal),
          quota(me.quota),
          notification(me, mail, signal),
          sessionList(signal),
          webhookForm(me.user, signal),
          exportPanel(signal),
        ),
        element(
          "div",
          {},
          ways.provider && identityList(me.user, ways, query.get("error"), signal),
          mail && emailForm(me.user, ways, signal),
          presets.sign_in.local && passwordForm(me.user, ways, signal),
          presets.sign_in.local && ways.hasPassword && secondFactor(me, signal),
          presets.sign_in.passkeys && passkeyList(me, ways, presets.sign_in.passkeys, signal),
          tokenList(signal),
          departure(me.user, ways, signal),
        ),
      );
    } catch (error) {
      if (!isAborted(error, signal)) fill(place, errorNotice(error, load));
    }
  }
  load();
  return { title: t("account.title"), node };
}

/** How the user signs in. Only where the site has a provider can an account be without a password. */
async function waysIn({ provider }, signal) {
  if (provider === null) return { provider, hasPassword: true, identities: [] };
  const { has_password: hasPassword, identities } = await listIdentities({ signal });
  return { provider, hasPassword, identities };
}

function identity({ user }, { confirms_addresses: confirms }, signal) {
  const error = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: goOut } }, t("nav.logout"));
  async function goOut() {
    button.disabled = true;
    try {
      await endSession();
      navigate("/");
    } catch (failed) {
      button.disabled = false;
      fill(error, errorText(failed));
    }
  }
  const email = element("p", { class: "account-email" }, user.email);
  const since = element("p", { class: "hint" }, t("account.since", { day: dayOf(user.created_at) }));
  const open = confirms && !user.confirmed && unconfirmed(signal);
  return accountPart(t("account.identity"), email, open, since, error, element("div", { class: "actions" }, button));
}

function quota({ per_day: most, left_today: left, running, max_running: mostRunning }) {
  const bar = element("meter", { min: 0, max: most, value: left, low: most * 0.1, "aria-label": t("account.quota") });
  const words = element("p", {}, t("create.quota", { left, most }));
  return accountPart(
    t("account.quota"),
    words,
    bar,
    element("p", { class: "hint" }, t("account.running", { running, most: mostRunning })),
  );
}

function notification({ user, push_browsers: browsers }, canMail, signal) {
  const options = ["none", "email"].map((value) => ({ value, title: t(`account.notify.${value}`) }));
  const said = element("p", { class: "hint", role: "status" });
  const radios = choice({
    name: "notify",
    legend: t("account.notify.legend"),
    options,
    chosen: user.notify,
    onChange: (notify) => change({ notify }, radios),
  });
  async function change(body, choices) {
    try {
      await changeMe(body, { signal });
      fill(said, t("account.saved"));
    } catch (error) {
      if (!isAborted(error, signal)) choices.showError(errorText(error));
    }
  }
  const languages = choice({
    name: "language",
    legend: t("account.mail.language"),
    options: [
      { value: "en", title: "English" },
      { value: "ru", title: "Русский" },
    ],
    chosen: user.language,
    onChange: (language) => change({ language }, languages),
  });
  const stopped = user.mail_stopped && stoppedMail(user, startAgain);
  async function startAgain() {
    await changeMe({ notify: "email" }, { signal });
    radios.node.querySelector("[value=email]").checked = true;
    fill(said, t("account.mail.started"));
  }
  return accountPart(
    t("account.notify"),
    ...(canMail
      ? [stopped, radios.node, languages.node, said]
      : [element("p", { class: "hint" }, t("account.notify.off"))]),
    ...push(browsers, signal),
  );
}

/** On how many browsers messages are on, and the button of the job's page for this one. */
function push(browsers, signal) {
  if (!("Notification" in window)) return [element("p", { class: "hint" }, t("account.push.never"))];
  const words = element("p", { class: "hint" });
  const show = (count) => fill(words, t("account.push.count", { count }));
  async function recount() {
    try {
      show((await getMe({ signal })).push_browsers);
    } catch (error) {
      if (!isAborted(error, signal)) fill(words, errorText(error));
    }
  }
  show(browsers);
  return [words, notifyButton({ label: "account.push", onChange: recount }).node];
}

/** Say why no mail is sent, and offer to start again: a radio button that is on already could not be chosen. */
function stoppedMail({ mail_stopped: why, email }, startAgain) {
  const error = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: start } }, t("account.mail.start"));
  async function start() {
    button.disabled = true;
    fill(error);
    try {
      await startAgain();
      node.remove();
    } catch (failed) {
      button.disabled = false;
      fill(error, errorText(failed));
    }
  }
  const words = element("p", {}, t(`account.mail.${why}`), " ", t("account.mail.check", { email }));
  const node = element("div", { class: "mail-stopped" }, words, error, element("div", { class: "actions" }, button));
  return node;
}

function departure(user, ways, signal) {
  const label = t("account.delete.submit");
  const password = ownPassword(ways);
  async function ask() {
    if (password.value() !== "") {
      return confirmAction({
        question: t("account.delete.ask"),
        detail: t("account.delete.detail"),
        action: label,
      });
    }
    password.showError(t("account.password.missing"));
    return false;
  }
  async function send() {
    await deleteMe({ password: password.value() }, { signal });
    clearSession();
    navigate("/", { replace: true });
    announce(t("account.deleted"));
  }
  const form = accountForm({ user, fields: { password }, label, look: "is-danger", ask, send, signal });
  return accountPart(t("account.delete"), element("p", {}, t("account.delete.hint")), form);
}
