import { t } from "./i18n.js";
import { matchRoute } from "./routes.js";
import { loadStyles } from "./styles.js";

/**
 * Shows the view that belongs to the address, in `outlet`; that of `missing` where none does.
 *
 * A route is `{pattern, load, styles}` (see fetchView). A view is a function of `{params, query, signal}` that answers
 * `{title, node}` at once and loads what it needs afterwards. `signal` is aborted when the person leaves the view, so
 * that nothing of it goes on. `unloadable` is shown for a view that cannot be fetched.
 */
export function startRouter({ routes, missing, unloadable, outlet, onChange }) {
  let leaving = new AbortController();

  async function show({ isFirst = false } = {}) {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const { route, params } = matchRoute(routes, location.pathname) ?? { route: missing, params: {} };
    const view = await fetchView(route).catch(() => unloadable);
    if (signal.aborted) return;
    const { title, node } = view({ params, query: new URLSearchParams(location.search), signal });
    setTitle(title);
    outlet.replaceChildren(node);
    if (!isFirst) outlet.focus({ preventScroll: true });
    onChange(location.pathname, { isFirst });
  }

  addEventListener("popstate", () => show());
  addEventListener("easel:navigate", () => show());
  document.addEventListener("click", followLink);
  show({ isFirst: true });
}

/** The view of a route: its code and its style sheets are fetched with the first visit. */
export async function fetchView({ load, styles }) {
  const [view] = await Promise.all([load(), loadStyles(styles)]);
  return view;
}

/** The page's name in the browser's tab; null for the site's own. */
export function setTitle(title) {
  document.title = title ? t("page.title", { title }) : t("site.name");
}

/** Goes to another path of the site. `replace` leaves no way back to the present one. */
export function navigate(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  // The present view is left first, so that it can still read its scroll position.
  dispatchEvent(new Event("easel:navigate"));
  scrollTo(0, 0);
}

/** Whether a click or a key means what it says, and not what the browser makes of it with Ctrl, Shift and the like. */
export const isPlain = (event) =>
  (event.button ?? 0) === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

/** Links marked `data-route` change the view without loading the page again. */
function followLink(event) {
  const link = event.target.closest?.("a[data-route]");
  if (!link || !isPlain(event) || event.defaultPrevented) return;
  event.preventDefault();
  navigate(link.getAttribute("href"));
}
