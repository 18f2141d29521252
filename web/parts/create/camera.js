import { element } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { UPLOAD_TYPES } from "../../lib/picture-storage.js";

/** Create a button that opens the camera; null except on devices held in the hand. */
export function cameraButton(addAll) {
  if (!matchMedia("(pointer: coarse)").matches) return null;
  const input = element("input", {
    type: "file",
    accept: UPLOAD_TYPES.join(","),
    capture: "environment",
    hidden: true,
  });
  input.addEventListener("change", () => {
    const taken = [...input.files];
    input.value = "";
    addAll(taken);
  });
  const open = () => input.click();
  return element(
    "div",
    { class: "actions" },
    element("button", { type: "button", class: "button", on: { click: open } }, t("stylize.camera")),
    input,
  );
}
