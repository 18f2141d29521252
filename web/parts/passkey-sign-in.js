import { beginPasskeyLogIn, logInWithPasskey } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { hasPasskeys, usePasskey } from "../lib/passkeys.js";

/** Create the button that signs in with a passkey: `{node, show(signIn)}`, with `sign_in` of the site's presets. */
export function passkeySignIn(onDone, signal) {
  const node = element("div", { class: "provider" });
  return { node, show };

  function show({ passkeys: domain }) {
    if (!hasPasskeys(domain)) return;
    const alert = element("p", { class: "form-error", role: "alert" });
    const button = element("button", { type: "button", class: "button", on: { click: signIn } }, t("passkeys.sign.in"));
    fill(node, button, alert);

    async function signIn() {
      fill(alert);
      button.disabled = true;
      try {
        const { options } = await beginPasskeyLogIn({ signal });
        await logInWithPasskey({ credential: await usePasskey(options, signal) }, { signal });
        await onDone();
      } catch (error) {
        if (!isAborted(error, signal)) fill(alert, refusalOf(error));
      } finally {
        button.disabled = false;
      }
    }
  }
}

function refusalOf(error) {
  if (error.name === "PasskeyError") return t("passkeys.cancelled");
  return error.code === "bad_credentials" ? t("passkeys.refused") : errorText(error);
}
