import { navigate } from "./router.js";
import { expireSession } from "./session.js";

/** The session is dead: to the form for logging in, and from there back to where the person is now. */
export function redirectToLogin({ replace = false } = {}) {
  expireSession();
  navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace });
}
