import { element, fill } from "../lib/dom.js";
import { t } from "../lib/text.js";
import { announce } from "./announcer.js";

let count = 0;

/** An address to keep, with a button that copies it. Answers `{node, show}`; `show(url)` puts another one there. */
export function copyLink({ label }) {
  const id = `link-${(count += 1)}`;
  const input = element("input", { id, readonly: true, class: "link-field", on: { focus: () => input.select() } });
  const button = element("button", { type: "button", class: "button", on: { click: copy } }, t("picture.copy"));

  async function copy() {
    try {
      await navigator.clipboard.writeText(input.value);
      fill(button, t("picture.copied"));
      announce(t("picture.copied.all"));
    } catch {
      // A browser gives its clipboard to pages of https only, and only if the person agrees.
      input.select();
      announce(t("picture.copy.by_hand"));
      fill(button, t("picture.copy.select"));
    }
  }
  const show = (url) => {
    input.value = url;
    fill(button, t("picture.copy"));
  };
  const head = element("label", { for: id }, label);
  return { node: element("div", { class: "link-row" }, head, element("div", { class: "link-tools" }, input, button)), show };
}
