import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { currentSession, onSessionChange } from "../lib/session.js";
import { routeLink } from "./link.js";

/** Fill the header and update it with the session. Returns the function that marks the present path. */
export function startHeader(header) {
  let path = "";
  const draw = () => fill(header, brand(), navigation(path, currentSession()), account(currentSession(), path));
  onSessionChange(draw);
  return (now) => {
    path = now;
    draw();
  };
}

function brand() {
  const mark = element("img", { src: "/favicon.svg", alt: "", width: 32, height: 32 });
  return routeLink("/", { class: "brand" }, mark, element("span", {}, t("site.name")));
}

function navigation(path, me) {
  const items = [
    ["/", "nav.gallery"],
    ["/create", "nav.create"],
    ["/scenes", "nav.scenes"],
  ];
  if (me) items.push(["/pictures", "nav.pictures"], ["/likenesses", "nav.likenesses"]);
  const links = items.map(([to, key]) => routeLink(to, { "aria-current": to === path ? "page" : null }, t(key)));
  return element("nav", { "aria-label": t("nav.label") }, links);
}

function account(me, path) {
  if (me === undefined) return element("div", { class: "account" });
  if (me === null) {
    const signUp = routeLink("/signup", { class: "button" }, t("nav.signup"));
    return element("div", { class: "account" }, routeLink("/login", {}, t("nav.login")), signUp);
  }
  const initial = element("span", { class: "initial", "data-letter": me.user.email.charAt(0).toUpperCase() });
  const email = element("span", { class: "email" }, me.user.email);
  const label = t("nav.account", { email: me.user.email });
  const attributes = { class: "me", "aria-label": label, "aria-current": path === "/account" ? "page" : null };
  return element("div", { class: "account" }, routeLink("/account", attributes, initial, email));
}
