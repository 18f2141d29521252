import { element } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { SHARED } from "../../lib/picture-sources.js";

/** Create a picture with the photo in front of it, up to the position of a slider. The arrow keys move the slider. */
export function comparison({ photo, picture, style }) {
  const range = element("input", {
    type: "range",
    min: 0,
    max: 100,
    value: 50,
    "aria-label": t("stylize.compare", { style }),
    on: { input: keepInStep },
  });
  const frame = element(
    "div",
    { class: "comparison-frame" },
    element("img", { ...SHARED, src: picture, alt: t("stylize.picture.alt", { style }) }),
    element("img", { ...SHARED, class: "comparison-photo", src: photo, alt: t("stylize.photo.alt") }),
    element("span", { class: "comparison-edge" }),
  );
  function keepInStep() {
    frame.style.setProperty("--split", `${range.value}%`);
    range.setAttribute("aria-valuetext", t("stylize.compare.value", { percent: range.value }));
  }
  keepInStep();
  return element("div", { class: "comparison" }, frame, range);
}
