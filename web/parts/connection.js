import { connection } from "../lib/connection.js";
import { element, fill } from "../lib/dom.js";
import { pause, whenVisible } from "../lib/pause.js";
import { refresh } from "../lib/session.js";
import { t } from "../lib/i18n.js";
import { announce } from "./announcer.js";
import { showBar } from "./notice-bar.js";

/** How long the good news stays. */
const BACK_MS = 4_000;
/** How long to leave a server alone that nobody else asks; the last one repeats. */
const PROBE_MS = [2_000, 4_000, 8_000, 15_000, 30_000];

/**
 * Keeps the one notice about the connection, for every view: that the person is offline or that the server does not answer,
 * and that it is back.
 */
export function startConnection() {
  const words = element("p", { class: "connection" });
  let remove = null;
  let leaving;

  function look() {
    const state = stateNow();
    if (state === (words.dataset.state ?? "fine")) return;
    clearTimeout(leaving);
    words.dataset.state = state;
    fill(words, t(`connection.${state}`));
    remove ??= showBar(words);
    announce(words.textContent);
    if (state === "fine") leaving = setTimeout(hide, BACK_MS);
  }
  function hide() {
    remove();
    remove = null;
  }
  connection.addEventListener("change", look);
  connection.addEventListener("change", prober());
  addEventListener("online", look);
  addEventListener("offline", look);
  look();
}

function stateNow() {
  if (!navigator.onLine) return "offline";
  return connection.isLost ? "lost" : "fine";
}

/** Finds out when the server is back, where no view does that by asking on. */
function prober() {
  let isProbing = false;
  return async () => {
    if (isProbing) return;
    isProbing = true;
    for (let turn = 0; connection.needsProbe; turn += 1) {
      await pause(PROBE_MS[Math.min(turn, PROBE_MS.length - 1)], { wake: window, events: ["online"] });
      await whenVisible();
      if (connection.needsProbe) await refresh().catch(() => {});
    }
    isProbing = false;
  };
}
