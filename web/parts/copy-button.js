import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

const SHOWN_MS = 2_500;

/** Create a button that copies `text` and confirms it for a moment in its label. */
export function copyButton(text, label = t("copy")) {
  const button = element(
    "button",
    { type: "button", class: "button", "aria-live": "polite", on: { click: copy } },
    label,
  );
  async function copy() {
    let done = "copy.done";
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      done = "copy.refused";
    }
    fill(button, t(done));
    setTimeout(() => fill(button, label), SHOWN_MS);
  }
  return button;
}
