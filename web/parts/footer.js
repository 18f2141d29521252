import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { LANGUAGES, rememberLanguage } from "../lib/language.js";

/** Fills the footer: a line, the API's docs, and the languages. Another language loads the page anew in it. */
export function startFooter(footer, language) {
  const options = Object.entries(LANGUAGES).map(([key, name]) =>
    element("option", { value: key, lang: key, selected: key === language }, name),
  );
  const select = element("select", { id: "language", on: { change: () => choose(select.value) } }, options);
  fill(
    footer,
    element("span", {}, t("footer.line")),
    element(
      "div",
      { class: "footer-tools" },
      element("a", { href: "/docs" }, t("footer.api")),
      element("label", { for: "language", class: "unseen" }, t("footer.language")),
      select,
    ),
  );
}

function choose(language) {
  rememberLanguage(language);
  location.reload();
}
