import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { choice } from "../choice.js";
import { cameraButton } from "../create/camera.js";
import { checkbox } from "../create/checkbox.js";
import { startPicturesField } from "../create/start-pictures.js";
import { field } from "../field.js";

/** A training takes exactly so many. */
const PHOTOS = 5;
const SUBJECTS = ["person", "animal", "object"];
const TEXTS = { list: "likenesses.photos", add: "likenesses.photos.add", more: "likenesses.photos.more" };

/**
 * Create the form of a training: five photos, what they show, a name and the consent.
 *
 * `chosen` is the subject, if the photos are already there. Returns `{node, fields, body, missing, reset, showError,
 * showStep}`: `missing()` are messages for fields without a value, `reset()` empties all but the photos.
 */
export function likenessForm({ photos, chosen, signal }) {
  const stage = element("section", { class: "likeness-photos", "aria-label": t("likenesses.photos") });
  const pictures = photosField(photos, { stage, signal });
  const count = element("p", { class: "hint", role: "status" });
  const camera = cameraButton(pictures.addAll);
  const showCount = () => {
    fill(count, t("likenesses.photos.count", { count: photos.items.length, most: PHOTOS }));
    if (camera) camera.hidden = photos.items.length >= PHOTOS;
  };
  photos.addEventListener("change", showCount, { signal });
  showCount();
  fill(stage, element("h2", {}, t("likenesses.photos")), pictures.node, camera, count);
  const options = SUBJECTS.map((value) => ({ value, title: t(`likenesses.subject.${value}`) }));
  const subject = choice({
    name: "subject",
    legend: t("likenesses.subject"),
    options,
    chosen: chosen ?? SUBJECTS[0],
    isCompact: true,
  });
  const name = field({
    name: "name",
    label: t("likenesses.name"),
    hint: t("likenesses.name.hint"),
    maxlength: 100,
    autocomplete: "off",
  });
  const consent = checkbox({
    name: "consent",
    label: t("likenesses.consent"),
    hint: t("likenesses.consent.hint"),
  });
  const error = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main is-large" }, t("likenesses.submit"));
  const actions = element("div", { class: "actions" }, button);
  const parts = [stage, subject.node, name.node, consent.node, element("p", { class: "hint" }, t("likenesses.fate"))];
  const node = element("form", { class: "likeness-form", novalidate: true }, parts, error, actions);

  function missing() {
    const messages = {};
    if (photos.keys().length !== PHOTOS) messages.photos = t("likenesses.photos.missing", { most: PHOTOS });
    if (!consent.value()) messages.consent = t("likenesses.consent.missing");
    return messages;
  }
  function showStep(key) {
    button.setAttribute("aria-disabled", key !== null);
    fill(button, t(key ?? "likenesses.submit"));
  }
  return {
    node,
    fields: { photos: pictures, subject, name, consent },
    body: () => ({
      photos: photos.keys(),
      subject: subject.value(),
      name: name.input.value.trim(),
      consent: true,
    }),
    missing,
    reset: () => node.reset(),
    showError: (message) => fill(error, message ?? ""),
    showStep,
  };
}

/** Here a picture with a recipe is a photo like others: there are no settings to take over. */
function photosField(photos, { stage, signal }) {
  const limits = { fields: [{ name: "source_images", max_items: PHOTOS }] };
  const made = startPicturesField(limits, photos, {
    stage,
    signal,
    words: t("likenesses.photos.hint"),
    texts: TEXTS,
    fillIn: (_, file) => made.addAll([file]),
  });
  return made;
}
