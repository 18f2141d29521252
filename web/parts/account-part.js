import { element } from "../lib/dom.js";

/** Create a part of the account's page under its title. */
export function accountPart(title, ...children) {
  return element("section", { class: "account-part", "aria-label": title }, element("h2", {}, title), children);
}
