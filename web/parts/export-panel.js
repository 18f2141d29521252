import { listExports, requestExport } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { currentLocale, t } from "../lib/i18n.js";
import { pollList } from "../lib/list-polling.js";
import { pause, whenVisible } from "../lib/pause.js";
import { dayOf } from "../lib/time.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { errorNotice } from "./message.js";

const MAKING_MS = 2_000;
/** The URLs of the files expire, so they are renewed. */
const READY_MS = 10 * 60_000;

/** Create the part with everything that the site has of the user, as files to download. */
export function exportPanel(signal) {
  const state = element("div", { role: "status" });
  const error = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { type: "button", class: "button", on: { click: ask } }, t("export.ask"));
  const asked = new EventTarget();
  let delayMs = 0;
  let revision = 0;
  let wasMade = false;

  function show([found]) {
    const made = isMade(found);
    if (wasMade && found?.state === "ready") announce(t("export.ready"));
    wasMade = made;
    delayMs = made ? MAKING_MS : READY_MS;
    button.disabled = made;
    fill(state, found && described(found));
  }
  async function follow() {
    try {
      await pollList({
        ask: () => listExports({ signal }),
        onAnswer: ({ exports }) => show(exports),
        onLost: () => {},
        nextMs: () => delayMs,
        revision: () => revision,
        ready: () => whenVisible(signal),
        pause: (ms) => pause(ms, { signal, wake: asked, events: ["asked"] }),
      });
    } catch (failed) {
      if (!isAborted(failed, signal)) fill(state, errorNotice(failed, follow));
    }
  }
  async function ask() {
    fill(error);
    button.disabled = true;
    try {
      const found = await requestExport({ signal });
      revision += 1;
      show([found]);
      asked.dispatchEvent(new Event("asked"));
    } catch (failed) {
      if (isAborted(failed, signal)) return;
      button.disabled = false;
      fill(error, errorText(failed));
    }
  }
  follow();
  const actions = element("div", { class: "actions" }, button);
  return accountPart(t("export.title"), element("p", {}, t("export.hint")), state, error, actions);
}

const isMade = (found) => found !== undefined && found.finished_at === null;

function described(found) {
  if (found.state === "failed") return element("p", { class: "form-error" }, t("export.failed"));
  if (isMade(found)) {
    const bar = element("progress", { "aria-label": t("export.making") });
    if (found.progress !== null) bar.value = found.progress;
    return [element("p", { class: "hint" }, t("export.making")), bar];
  }
  const links = found.files.map(({ url, size_bytes: bytes }, index) =>
    element(
      "li",
      {},
      element("a", { href: url, download: "" }, t("export.file", { number: index + 1 })),
      ` ${sizeOf(bytes)}`,
    ),
  );
  const until = element("p", { class: "hint" }, t("export.until", { day: dayOf(found.expires_at) }));
  return [element("ul", { class: "tokens" }, links), until];
}

function sizeOf(bytes) {
  const options = { style: "unit", unit: "megabyte", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(currentLocale(), options).format(Math.max(bytes / 1e6, 0.1));
}
