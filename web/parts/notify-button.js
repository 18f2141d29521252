import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { truncate } from "../lib/truncate.js";
import { announce } from "./announcer.js";

const NAME = "easel.tell-me";

/**
 * A quiet button with which a person asks to be told by the browser when a job is done. The browser's own question comes
 * only with the click, and the wish is remembered for the next jobs.
 *
 * Answers `{node, tell}`; `tell(job)` shows the notification, if it is wanted and nobody sees the page.
 */
export function notifyButton(storage = localStorage) {
  const words = element("span", {});
  const button = element("button", { type: "button", class: "button is-quiet tell-me", on: { click: choose } }, words);
  const refusal = element("p", { class: "hint-soft" });
  const node = element("div", { class: "tell", hidden: !("Notification" in window) }, button, refusal);
  draw();

  function draw() {
    button.setAttribute("aria-pressed", String(isWanted(storage)));
    fill(words, t("notify.label"));
  }
  async function choose() {
    const wanted = !isWanted(storage);
    const permission = wanted ? await Notification.requestPermission() : Notification.permission;
    storage.setItem(NAME, wanted && permission === "granted" ? "yes" : "no");
    fill(refusal, wanted && permission !== "granted" ? t("notify.refused") : "");
    draw();
    announce(refusal.textContent || t(wanted ? "notify.on" : "notify.off"));
  }
  return { node, show: (job) => isWanted(storage) && document.hidden && notify(job) };
}

function isWanted(storage) {
  return "Notification" in window && Notification.permission === "granted" && storage.getItem(NAME) === "yes";
}

/** One notification a job, however many tabs show it (`tag`). */
function notify({ id, state, prompt }) {
  const body = truncate(prompt, 120);
  let notification;
  try {
    notification = new Notification(t(`notify.${state}`), { body, tag: `easel-${id}`, icon: "/favicon.svg" });
  } catch (error) {
    // Browsers of some phones show notifications from service workers alone, and throw this.
    if (error instanceof TypeError) return;
    throw error;
  }
  notification.addEventListener("click", () => {
    window.focus();
    notification.close();
  });
}
