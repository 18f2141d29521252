import { element, fill } from "../lib/dom.js";
import { explain } from "../lib/explain.js";
import { navigate } from "../lib/router.js";
import { current, leave, onChange } from "../lib/session.js";
import { t } from "../lib/text.js";
import { announce } from "./announcer.js";
import { routeLink } from "./link.js";

/** Fills the header and keeps it in step with the session. Answers the function that marks the present path. */
export function startHeader(header) {
  let path = "";
  const draw = () => fill(header, brand(), navigation(path, current()), account(current()));
  onChange(draw);
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
  const items = [["/", "nav.gallery"], ["/create", "nav.create"]];
  if (me) items.push(["/pictures", "nav.pictures"]);
  const links = items.map(([to, key]) => routeLink(to, { "aria-current": to === path ? "page" : null }, t(key)));
  return element("nav", { "aria-label": t("nav.label") }, links);
}

function account(me) {
  if (me === undefined) return element("div", { class: "account" });
  if (me === null) {
    const signUp = routeLink("/signup", { class: "button" }, t("nav.signup"));
    return element("div", { class: "account" }, routeLink("/login", {}, t("nav.login")), signUp);
  }
  const out = element("button", { type: "button", class: "button is-quiet", on: { click: goOut } }, t("nav.logout"));
  return element("div", { class: "account" }, element("span", { class: "email" }, me.user.email), out);
}

async function goOut(event) {
  const button = event.currentTarget;
  button.disabled = true;
  try {
    await leave();
    navigate("/");
  } catch (error) {
    announce(explain(error));
    button.disabled = false;
  }
}
