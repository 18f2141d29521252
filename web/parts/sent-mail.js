import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";

/** Say that a mail is on its way, with a button that sends it again. Returns `{node, focus}`. */
export function sentMail(words, sendAgain, signal) {
  const said = element("p", { tabindex: -1 }, words);
  const again = element("p", { class: "hint", role: "status" });
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: send } }, t("mail.again"));
  async function send() {
    button.disabled = true;
    fill(again);
    fill(alert);
    try {
      await sendAgain();
      fill(again, t("mail.again.sent"));
    } catch (error) {
      if (!isAborted(error, signal)) fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  }
  const node = element("div", {}, said, alert, again, element("div", { class: "actions" }, button));
  return { node, focus: () => said.focus() };
}
