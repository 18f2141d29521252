import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { routeLink } from "../parts/link.js";

/** The page for an unknown address. */
export function missingView() {
  const node = element(
    "div",
    { class: "page emptiness" },
    element("h1", { class: "display" }, t("missing.heading")),
    element("p", {}, t("missing.detail")),
    routeLink("/", { class: "button is-main" }, t("missing.home")),
  );
  return { title: t("missing.title"), node };
}
