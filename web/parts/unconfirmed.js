import { requestConfirmation } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { sentMail } from "./sent-mail.js";

/** Say that an address is not confirmed, with a button that sends the link. */
export function unconfirmed(signal) {
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: send } }, t("confirm.submit"));
  const words = element("p", {}, t("confirm.hint"));
  const node = element("div", { class: "mail-stopped" }, words, alert, element("div", { class: "actions" }, button));
  async function send() {
    button.disabled = true;
    fill(alert);
    try {
      await requestConfirmation({ signal });
      const sent = sentMail(t("confirm.sent"), () => requestConfirmation({ signal }), signal);
      fill(node, sent.node);
      sent.focus();
    } catch (error) {
      button.disabled = false;
      if (!isAborted(error, signal)) fill(alert, errorText(error));
    }
  }
  return node;
}
