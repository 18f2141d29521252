import { confirmEmail } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { startSession } from "../lib/session.js";

/** The page of the link that confirms an address. It waits for a click, since mail programs open links by themselves. */
export function verifyView({ signal }) {
  const link = new URLSearchParams(location.hash.slice(1));
  const token = link.get("token");
  if (token !== null) history.replaceState(history.state, "", location.pathname);
  const heading = element("h1", { class: "display" }, t("verify.title"));
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main" }, t("verify.submit"));
  const hint = element("p", {}, t("verify.hint", { email: link.get("email") ?? "" }));
  const form = element("form", {}, hint, alert, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    fill(alert);
    try {
      await confirmEmail({ token }, { signal });
      const done = element("p", { tabindex: -1 }, t("verify.done"));
      fill(form, done);
      done.focus();
      await startSession();
    } catch (error) {
      if (!isAborted(error, signal)) fill(alert, errorText(error));
    } finally {
      button.disabled = false;
    }
  });
  const content = token === null ? element("p", {}, t("verify.missing")) : form;
  return { title: t("verify.title"), node: element("div", { class: "page account-page" }, heading, content) };
}
