import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";

/** Ask for confirmation of an irreversible action. Resolves to true if the user confirms. */
export function confirmAction({ question, detail, action }) {
  const yes = element("button", { value: "yes", class: "button is-danger" }, action);
  const no = element("button", { value: "no", class: "button", autofocus: true }, t("dialog.keep"));
  const form = element(
    "form",
    { method: "dialog" },
    element("h2", { id: "dialog-question", class: "display" }, question),
    element("p", {}, detail),
    element("div", { class: "actions" }, no, yes),
  );
  const dialog = element("dialog", { "aria-labelledby": "dialog-question" }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
