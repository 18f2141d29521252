import { navigate } from "./router.js";
import { expireSession } from "./session.js";

/** Go to the login form because the session has expired; after login the user returns to the present address. */
export function redirectToLogin({ replace = false } = {}) {
  expireSession();
  navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace });
}
