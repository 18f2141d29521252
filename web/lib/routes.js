/**
 * Return the route for a path, `{route, params}`, or null.
 *
 * A pattern's segment `:name` matches one segment of the path. A final slash is ignored.
 */
export function matchRoute(routes, path) {
  const parts = split(path);
  for (const route of routes) {
    const params = matchParts(split(route.pattern), parts);
    if (params !== null) return { route, params };
  }
  return null;
}

const split = (path) => path.split("/").filter((part) => part !== "");

function matchParts(wanted, parts) {
  if (wanted.length !== parts.length) return null;
  const params = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) params[part.slice(1)] = decode(parts[index]);
    else if (part !== parts[index]) return null;
  }
  return params;
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Return the path of this site in `next`, or `otherwise`: a foreign link must not redirect off the site. */
export function safeNext(next, origin, otherwise = "/") {
  if (!next || !next.startsWith("/")) return otherwise;
  const url = URL.canParse(next, origin) ? new URL(next, origin) : null;
  return url?.origin === origin ? url.pathname + url.search : otherwise;
}
