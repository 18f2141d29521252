import { getMe, logOut } from "./api.js";
import { clearDraft } from "./draft.js";

/**
 * The signed-in user. `currentSession()` is undefined before the first answer, null for a guest, else `{user, quota}`.
 *
 * The session is a cookie that scripts cannot read. All tabs share it, so changes are announced to the other tabs.
 */
const changes = new EventTarget();
const tabs = new BroadcastChannel("easel.session");
const farewells = new Set();
let me;
/** The id of the last user, also of one whose session has expired. */
let last = null;
let asking = null;

// This tab must not show one user's data to the next user.
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
  if (value !== null) {
    if (last !== null && last !== value.user.id) clearDraft();
    last = value.user.id;
  }
  me = value;
  changes.dispatchEvent(new Event("change"));
}

/** Fetch the session, with one request for simultaneous callers. Rejects only if the server gives no usable answer. */
export function refreshSession() {
  asking ??= getMe()
    .catch((error) => {
      // A disabled account is treated as a guest; the login form explains why.
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

/** Register a task that must finish before the session ends. */
export function beforeLogout(task) {
  farewells.add(task);
}

/** Load a session that has just begun, here and in the other tabs. */
export async function startSession() {
  await refreshSession();
  tabs.postMessage("changed");
}

/** End the session. A session that has already expired is not an error. */
export async function endSession() {
  await Promise.all([...farewells].map((task) => task()));
  await logOut().catch((error) => {
    if (error.status !== 401) throw error;
  });
  clearSession();
}

/** Record that the session has ended, here and in the other tabs. */
export function clearSession() {
  clearDraft();
  set(null);
  tabs.postMessage("changed");
}

/** Record that the server no longer accepts the session. */
export function expireSession() {
  if (me !== null) set(null);
}
