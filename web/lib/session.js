import { getMe, logOut } from "./api.js";

/**
 * Who is signed in. `current()` is undefined until the server was asked, null for a guest, else `{user, quota}`.
 * The session itself is a cookie that scripts cannot read.
 */
const changes = new EventTarget();
const farewells = new Set();
let me;
let asking = null;

export const current = () => me;

export function onChange(listener, { signal } = {}) {
  changes.addEventListener("change", () => listener(me), { signal });
}

function set(value) {
  me = value;
  changes.dispatchEvent(new Event("change"));
}

/** Asks the server who this is, once for all who ask at the same time. Rejects only when the server cannot be asked. */
export function refresh() {
  asking ??= getMe()
    .catch((error) => {
      if (error.status === 401) return null;
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
export function beforeLeaving(task) {
  farewells.add(task);
}

/** Ends the session; a session that is dead already is as good. */
export async function leave() {
  await Promise.all([...farewells].map((task) => task()));
  await logOut().catch((error) => {
    if (error.status !== 401) throw error;
  });
  set(null);
}

/** Notes that the server no longer knows the session. */
export function expire() {
  if (me !== null) set(null);
}
