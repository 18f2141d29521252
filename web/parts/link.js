import { element } from "../lib/dom.js";

/** Create a link to another view of the site. */
export function routeLink(path, attributes, ...children) {
  return element("a", { href: path, "data-route": true, ...attributes }, ...children);
}
