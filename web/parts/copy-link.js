import { element, fill, uniqueId } from "../lib/dom.js";
import { copyButton } from "./copy-button.js";

/** An address to keep, with a button that copies it. Answers `{node, show}`; `show(url)` puts another one there. */
export function copyLink({ label }) {
  const id = uniqueId("link");
  const input = element("input", { id, readonly: true, class: "link-field", on: { focus: () => input.select() } });
  const tools = element("div", { class: "link-tools" });
  const show = (url) => {
    input.value = url;
    fill(tools, input, copyButton(url));
  };
  return { node: element("div", { class: "link-row" }, element("label", { for: id }, label), tools), show };
}
