import { element, fill } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { LANGUAGES, rememberLanguage } from "../lib/language.js";

/** Fill the footer: a line, the link to the API docs and the languages. Changing the language reloads the page. */
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
