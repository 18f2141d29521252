import { t } from "./i18n.js";
import { matchRoute } from "./routes.js";
import { loadStyles } from "./styles.js";

/**
 * Show the view for the address in `outlet`; the view of `missing` for an unknown address.
 *
 * A route is `{pattern, load, styles}` (see fetchView). A view is a function of `{params, query, signal}` that returns
 * `{title, node}` immediately and loads its data afterwards. `signal` is aborted when the view is left, which ends all
 * its work. `unloadable` is shown for a view that cannot be fetched.
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

/** Load the view of a route: its code and style sheets, fetched on the first visit. */
export async function fetchView({ load, styles }) {
  const [view] = await Promise.all([load(), loadStyles(styles)]);
  return view;
}

/** Set the title of the browser's tab; null for the site's name only. */
export function setTitle(title) {
  document.title = title ? t("page.title", { title }) : t("site.name");
}

/** Go to another path of the site. `replace` replaces the present history entry. */
export function navigate(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  // Leave the present view first, so that it can still read its scroll position.
  dispatchEvent(new Event("easel:navigate"));
  scrollTo(0, 0);
}

/** Whether a click or key press has no modifier that makes the browser do something else. */
export const isPlain = (event) =>
  (event.button ?? 0) === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;

/** Handle links marked `data-route` without loading the page again. */
function followLink(event) {
  const link = event.target.closest?.("a[data-route]");
  if (!link || !isPlain(event) || event.defaultPrevented) return;
  event.preventDefault();
  navigate(link.getAttribute("href"));
}
