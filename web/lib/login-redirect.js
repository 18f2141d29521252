import { navigate } from "./router.js";
import { expire } from "./session.js";

/** The session is dead: to the form for logging in, and from there back to where the person is now. */
export function askToLogIn({ replace = false } = {}) {
  expire();
  navigate(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, { replace });
}
