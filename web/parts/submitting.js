import { errorText } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";

/** Run `submit` whenever a form with steps is submitted, but not again while it runs. */
export function onSubmit({ node, showStep }, submit) {
  let isSending = false;
  node.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    try {
      await submit();
    } finally {
      isSending = false;
      showStep(null);
    }
  });
}

/** Return the error of a submit as a sentence; after a lost answer, that it can be sent again. */
export const submitErrorText = (error) =>
  error.isNetwork ? `${errorText(error)} ${t("create.again")}` : errorText(error);
