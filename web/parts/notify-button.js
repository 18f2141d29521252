import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { canBeNotified, subscribe, unsubscribe } from "../lib/push.js";
import { truncate } from "../lib/truncate.js";
import { announce } from "./announcer.js";

const NAME = "easel.tell-me";

/**
 * Create a button that turns on browser notifications for finished jobs. The browser's permission prompt appears only
 * on a click; the choice is remembered. Where the browser has a push service, it notifies the user without an open page,
 * too; where it has none, or does not subscribe, a sentence says so.
 *
 * Returns `{node, show}`; `show(job)` displays the notification if it is turned on and the page is hidden.
 */
export function notifyButton({ storage = localStorage, label = "notify.label", onChange = () => {} } = {}) {
  const words = element("span", {});
  const button = element(
    "button",
    { type: "button", class: "button is-quiet notify-button", on: { click: choose } },
    words,
  );
  const refusal = element("p", { class: "hint-soft" });
  const node = element("div", { class: "notify", hidden: !("Notification" in window) }, button, refusal);
  draw();

  function draw() {
    button.setAttribute("aria-pressed", String(isWanted(storage)));
    fill(words, t(label));
  }
  async function choose() {
    const wanted = !isWanted(storage);
    const permission = wanted ? await Notification.requestPermission() : Notification.permission;
    const granted = wanted && permission === "granted";
    storage.setItem(NAME, granted ? "yes" : "no");
    fill(refusal, wanted && !granted ? t("notify.refused") : "");
    draw();
    announce(refusal.textContent || t(wanted ? "notify.on" : "notify.off"));
    const known = await updatePushService(granted);
    // Without a push service the open page notifies, as it did before there were any.
    if (granted && !known && isWanted(storage)) fill(refusal, t("notify.open"));
    onChange();
  }
  return { node, show: (job) => isWanted(storage) && document.hidden && notify(job) };
}

/** Subscribe this browser or end that; return whether that was possible. */
async function updatePushService(wanted) {
  if (!canBeNotified()) return false;
  try {
    await (wanted ? subscribe() : unsubscribe());
    return true;
  } catch {
    return false;
  }
}

function isWanted(storage) {
  return "Notification" in window && Notification.permission === "granted" && storage.getItem(NAME) === "yes";
}

/** Show one notification per job, however many tabs are open, and with a push service (`tag`). */
function notify({ id, state, prompt }) {
  const body = truncate(prompt, 120);
  let notification;
  try {
    notification = new Notification(t(`notify.${state}`), { body, tag: `easel-${id}`, icon: "/favicon.svg" });
  } catch (error) {
    // Some mobile browsers throw this because they show notifications only from service workers.
    if (error instanceof TypeError) return;
    throw error;
  }
  notification.addEventListener("click", () => {
    window.focus();
    notification.close();
  });
}
