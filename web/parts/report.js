import { reportPicture } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { choice } from "./choice.js";
import { field, showFieldErrors } from "./field.js";

const REASONS = ["illegal", "hateful", "sexual", "personal", "copyright", "other"];
const LONGEST = 1000;

/** Open the dialog for reporting published pictures. It removes itself when closed. */
export function askForReport({ id, place, signal }) {
  const fields = {
    reason: choice({
      name: "reason",
      legend: t("report.reason"),
      options: REASONS.map((key) => ({ value: key, title: t(`report.reason.${key}`) })),
      chosen: null,
    }),
    detail: field({
      name: "detail",
      label: t("report.detail"),
      hint: t("report.detail.hint"),
      tag: "textarea",
      rows: 3,
      maxlength: LONGEST,
    }),
  };
  const alert = element("p", { class: "form-error", role: "alert" });
  const send = element("button", { class: "button is-main" }, t("report.send"));
  const cancel = element(
    "button",
    { type: "button", class: "button", on: { click: () => dialog.close() } },
    t("report.cancel"),
  );
  const form = element(
    "form",
    { novalidate: true },
    element("h2", { id: "report-heading", class: "display" }, t("report.heading")),
    fields.reason.node,
    fields.detail.node,
    alert,
    element("div", { class: "actions" }, cancel, send),
  );
  const dialog = element("dialog", { class: "report", "aria-labelledby": "report-heading" }, form);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    const reason = fields.reason.value();
    if (reason === null) {
      fields.reason.showError(t("report.reason.missing"));
      return fields.reason.input.focus();
    }
    send.disabled = true;
    try {
      await reportPicture(id, { reason, detail: fields.detail.input.value.trim() }, { signal });
      thank(dialog);
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (!showFieldErrors(fields, error)) fill(alert, error.status === 404 ? t("gone.heading") : errorText(error));
    } finally {
      send.disabled = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  place.append(dialog);
  dialog.showModal();
}

function thank(dialog) {
  const close = element(
    "button",
    { type: "button", class: "button is-main", on: { click: () => dialog.close() } },
    t("report.close"),
  );
  fill(
    dialog,
    element(
      "div",
      { class: "report-thanks" },
      element("h2", { id: "report-heading", class: "display" }, t("report.thanks")),
      element("p", { role: "status" }, t("report.thanks.detail")),
      element("div", { class: "actions" }, close),
    ),
  );
  close.focus();
}
