import { getMe, logOut } from "./api.js";
import { clearDraft } from "./draft.js";

/**
 * Who is signed in. `current()` is undefined until the server was asked, null for a guest, else `{user, quota}`.
 * The session itself is a cookie that scripts cannot read; all tabs share it, so a change in one is told to the others.
 */
const changes = new EventTarget();
const tabs = new BroadcastChannel("easel.session");
const farewells = new Set();
let me;
let asking = null;

// What this tab shows of a person is not for whoever came after them.
tabs.addEventListener("message", async () => {
  const before = me?.user.id;
  const now = await refreshSession().catch(() => me);
  if (before !== undefined && now?.user.id !== before) location.reload();
});

export const currentSession = () => me;

export function onSessionChange(listener, { signal } = {}) {
  changes.addEventListener("change", () => listener(me), { signal });
}

function set(value) {
  me = value;
  changes.dispatchEvent(new Event("change"));
}

/** Asks the server who this is, once for all who ask at the same time. Rejects only when the server cannot be asked. */
export function refreshSession() {
  asking ??= getMe()
    .catch((error) => {
      // Who may do nothing here is a visitor; logging in says why.
      if (error.status === 401 || error.code === "account_disabled") return null;
      throw error;
    })
    .then((answer) => {
      set(answer);
      return answer;
    })
    .finally(() => {
      asking = null;
    });
  return asking;
}

/** What must reach the server while the session still lives: `task` is awaited before the session ends. */
export function beforeLogout(task) {
  farewells.add(task);
}

/** Takes up a session that has just begun, here and in the other tabs. */
export async function startSession() {
  await refreshSession();
  tabs.postMessage("changed");
}

/** Ends the session; a session that is dead already is as good. */
export async function endSession() {
  await Promise.all([...farewells].map((task) => task()));
  await logOut().catch((error) => {
    if (error.status !== 401) throw error;
  });
  clearSession();
}

/** Notes that this person's session has been ended, here and in the other tabs. */
export function clearSession() {
  clearDraft();
  set(null);
  tabs.postMessage("changed");
}

/** Notes that the server no longer knows the session. */
export function expireSession() {
  if (me !== null) set(null);
}
