import { element, fill, uniqueId } from "../lib/dom.js";
import { copyButton } from "./copy-button.js";

/** Create a read-only address with a copy button. Returns `{node, show}`; `show(url)` changes the address. */
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
