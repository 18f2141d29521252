import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { cameraButton } from "../create/camera.js";
import { startPicturesField } from "../create/start-pictures.js";
import { stylesField } from "../create/styles.js";
import { field } from "../field.js";

/** The most styles that the API makes of one photo. */
const MOST_STYLES = 48;

/**
 * Create the form: a photo, its caption and the styles, the artists first.
 *
 * Returns `{node, fields, body, missing, showError, showStep}`: `missing()` are messages for fields without a value.
 */
export function stylizeForm({ presets, photos, signal }) {
  const stage = element("section", { class: "stylize-photo", "aria-label": t("stylize.photo") });
  const own = limited(presets);
  // Here a picture with a recipe is a photo like others: there are no settings to take over.
  const photo = startPicturesField(own, photos, {
    stage,
    signal,
    words: t("stylize.photo.hint"),
    fillIn: (_, file) => photo.addAll([file]),
  });
  const caption = field({
    name: "prompt",
    label: t("stylize.caption"),
    tag: "textarea",
    rows: 2,
    maxlength: 2000,
    hint: t("stylize.caption.hint"),
  });
  const styles = stylesField(own, {});
  const error = element("div", { role: "alert", class: "field-error" });
  const button = element("button", { class: "button is-main is-large" }, t("stylize.submit"));
  fill(stage, photo.node, cameraButton(photo.addAll));
  const node = element(
    "form",
    { class: "stylize-form", novalidate: true },
    stage,
    caption.node,
    styles.node,
    button,
    error,
  );
  const chosen = () => [styles.value()].flat().filter((key) => key !== null);

  function missing() {
    const messages = {};
    if (photos.items.length === 0) messages.source_image = t("stylize.no_photo");
    if (chosen().length === 0) messages.styles = t("stylize.no_style");
    return messages;
  }
  function showStep(key) {
    button.disabled = key !== null;
    fill(button, t(key ?? "stylize.submit"));
  }
  return {
    node,
    fields: { source_image: photo, prompt: caption, styles },
    body: () => ({ source_image: photos.keys()[0], styles: chosen(), prompt: caption.input.value.trim() }),
    missing,
    showError: (message) => fill(error, message ?? ""),
    showStep,
  };
}

/** Return presets with the limits of this page, and the artists first. */
function limited(presets) {
  const isArtist = ({ theme }) => theme === "artists";
  const styles = [...presets.styles.filter(isArtist), ...presets.styles.filter((style) => !isArtist(style))];
  const fields = [
    { name: "source_images", max_items: 1 },
    { name: "n", maximum: MOST_STYLES },
  ];
  return { ...presets, styles, fields };
}
