import { retryDelayMs } from "../lib/backoff.js";
import { connection } from "../lib/connection.js";
import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { pause, whenVisible } from "../lib/pause.js";
import { refreshSession } from "../lib/session.js";
import { announce } from "./announcer.js";
import { showBar } from "./notice-bar.js";

/** How long "back online" is shown. */
const BACK_MS = 4_000;
/** The delays between probes while no view polls the server. */
const PROBE = { startMs: 2_000, maxMs: 30_000 };

/** Show one notice about the connection in all views: offline, server unreachable, or back online. */
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

/** Return a listener that probes the server until it is back, while no view polls it. */
function prober() {
  let isProbing = false;
  return async () => {
    if (isProbing) return;
    isProbing = true;
    for (let attempt = 1; connection.needsProbe; attempt += 1) {
      await pause(retryDelayMs(attempt, PROBE), { wake: window, events: ["online"] });
      await whenVisible();
      if (connection.needsProbe) await refreshSession().catch(() => {});
    }
    isProbing = false;
  };
}
