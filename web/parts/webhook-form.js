import { changeMe, getWebhookSecret } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { accountPart } from "./account-part.js";
import { copyButton } from "./copy-button.js";
import { field, showFieldErrors } from "./field.js";

/** Create the part of the account with the address of webhooks, how the last one ended, and their secret. */
export function webhookForm(user, signal) {
  const url = field({
    name: "webhook_url",
    label: t("webhook.url"),
    type: "url",
    maxlength: 2000,
    autocomplete: "off",
    value: user.webhook_url ?? "",
    hint: user.webhook_error && t("webhook.failed", { code: user.webhook_error }),
  });
  const said = element("p", { class: "hint", role: "status" });
  const alert = element("p", { class: "form-error", role: "alert" });
  const secret = element("div", { role: "status" });
  const reveal = element("button", { type: "button", class: "button", on: { click: show } }, t("webhook.secret"));
  const save = element("button", { class: "button" }, t("webhook.save"));
  const actions = element("div", { class: "actions" }, save, reveal);
  const form = element("form", { novalidate: true }, url.node, actions, said, alert, secret);

  async function attempt(work) {
    fill(alert);
    fill(said);
    try {
      await work();
    } catch (error) {
      if (!isAborted(error, signal) && !showFieldErrors({ webhook_url: url }, error)) fill(alert, errorText(error));
    }
  }
  function show() {
    return attempt(async () => {
      const { secret: text } = await getWebhookSecret({ signal });
      fill(secret, element("code", {}, text), copyButton(text));
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await changeMe({ webhook_url: url.input.value.trim() }, { signal });
      url.showHint(null);
      fill(said, t("account.saved"));
    });
  });
  return accountPart(t("webhook.heading"), element("p", {}, t("webhook.hint")), form);
}
