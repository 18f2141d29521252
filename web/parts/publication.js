import { appealPublication } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { announce } from "./announcer.js";
import { field, showFieldErrors } from "./field.js";

const LONGEST = 500;

/**
 * Create the notice about a publication that waits for the operators, or that they refused or ended.
 *
 * Returns null if there is nothing to say. `onChange(job)` gets the job after its owner has appealed.
 */
export function publicationNotice(job, { signal, onChange }) {
  const { state, reason, appeal, may_appeal: mayAppeal } = job.publication ?? {};
  if (state === "waiting") return element("p", { class: "notice", role: "status" }, t("publication.waiting"));
  if (state !== "refused" && state !== "removed") return null;
  return element(
    "section",
    { class: "notice publication", "aria-labelledby": "publication-heading" },
    element("h2", { id: "publication-heading", tabindex: "-1" }, t(`publication.${state}`)),
    reason && element("p", {}, t("publication.reason", { reason })),
    appeal && element("p", {}, t(`publication.appeal.${appeal.state}`)),
    appeal && element("blockquote", {}, appeal.text),
    mayAppeal && appealForm(job, { signal, onChange }),
  );
}

function appealForm({ id }, { signal, onChange }) {
  const text = field({
    name: "appeal",
    label: t("publication.appeal"),
    hint: t("publication.appeal.hint"),
    tag: "textarea",
    rows: 3,
    maxlength: LONGEST,
  });
  const alert = element("p", { class: "form-error", role: "alert" });
  const send = element("button", { class: "button" }, t("publication.appeal.send"));
  async function submit(event) {
    event.preventDefault();
    if (send.getAttribute("aria-disabled")) return;
    fill(alert);
    send.setAttribute("aria-disabled", "true");
    try {
      onChange(await appealPublication(id, { text: text.input.value.trim() }, { signal }));
      announce(t("publication.appeal.waiting"));
      // The form that had the focus is gone.
      document.getElementById("publication-heading")?.focus();
    } catch (error) {
      if (isAborted(error, signal)) return;
      if (error.status === 401) return redirectToLogin();
      if (!showFieldErrors({ text }, error)) fill(alert, errorText(error));
    } finally {
      send.removeAttribute("aria-disabled");
    }
  }
  return element("form", { novalidate: true, on: { submit } }, text.node, alert, send);
}
