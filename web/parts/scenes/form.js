import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { fieldOf, isShown, pickChoice } from "../../lib/presets.js";
import { sceneValues } from "../../lib/scene-request.js";
import { likenessField } from "../create/likeness.js";
import { qualityChoice } from "../create/preset-choices.js";
import { seedField } from "../create/seed.js";
import { field } from "../field.js";
import { actionGroup, ageGroup, genderGroup, placeGroup, placePictureGroup, shotGroup } from "./groups.js";

/** The most characters of the person's details and of the words for an action. */
const MOST_CHARACTERS = 500;

/**
 * Create the form of a scene and fill it with a draft.
 *
 * `renew` is the catalogue's `renewal`. Returns `{node, fields, values, showStep, showError}`; `values()` and `fields`
 * are by the API's field names.
 */
export function sceneForm({ catalogue, presets, draft, renew, signal }) {
  const start = sceneValues(draft, catalogue);
  const source = { catalogue, renew };
  const place = placeGroup(source, start.place, () => view.rebuild(place.value(), 0));
  const view = placePictureGroup(source, start.place, start.place_picture);
  const action = actionGroup(source, start.action, follow);
  const words = textField("action_prompt", start, { label: t("scenes.action_prompt") });
  let posed = start.action ?? catalogue.actions[0].key;
  const shot = shotGroup(source, posed, start.shot);
  const more = moreFields(presets, draft);
  const fields = {
    ...{ place, place_picture: view, action, action_prompt: words, shot },
    ...{ age: ageGroup(start.age), gender: genderGroup(start.gender) },
    details: textField("details", start, { label: t("scenes.details"), tag: "textarea", rows: 2 }),
    ...(catalogue.isLikenessOffered ? { likeness: codesField(start, signal) } : {}),
    ...more.fields,
  };

  /** Words have no mannequin: the shots keep that of the action before. */
  function follow() {
    words.node.hidden = action.value() !== null;
    posed = action.value() ?? posed;
    shot.rebuild(posed, shot.value());
  }
  words.node.hidden = start.action !== null;
  const { age, gender, details, likeness } = fields;
  const who = element("div", { class: "scene-pair" }, gender.node, age.node);
  const groups = [place, view, action, words, shot].map(({ node }) => node);
  const { bar, showStep, showError } = actionBar();
  const { width, height } = catalogue.places[0].pictures[0];
  const node = element(
    "form",
    { class: "scene-form", novalidate: true, vars: { ratio: width / height } },
    ...[groups, who, details.node, likeness?.node, more.node, bar],
  );
  const values = () => Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value()]));
  return { node, fields, values, showStep, showError };
}

function textField(name, start, attributes) {
  const hint = t(`scenes.${name}.hint`);
  const made = field({ name, hint, maxlength: MOST_CHARACTERS, ...attributes });
  made.input.value = start[name];
  return { ...made, value: () => made.input.value.trim() };
}

/** The words for the subject are not shown: a scene has no prompt in which to write them. */
function codesField({ likeness }, signal) {
  const made = likenessField({ likeness, signal, hint: t("scenes.likeness.hint"), isNamed: false });
  made.load();
  return made;
}

/** Create the rarely needed fields in a disclosure. */
function moreFields(presets, draft) {
  const quality = pickChoice(presets.qualities, draft.quality, fieldOf(presets, "quality").default);
  const fields = {
    ...(isShown(presets, "quality") ? { quality: qualityChoice(presets, { quality }) } : {}),
    ...(isShown(presets, "seed") ? { seed: seedField(presets, draft) } : {}),
  };
  const node = element(
    "details",
    { class: "more-options", open: Boolean(draft.seed ?? false) },
    element("summary", {}, t("create.more")),
    element(
      "div",
      {},
      Object.values(fields).map((one) => one.node),
    ),
  );
  return { fields, node };
}

function actionBar() {
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button is-main is-large" }, t("scenes.submit"));
  const bar = element("div", { class: "create-bar" }, alert, element("div", { class: "actions" }, button));
  const showStep = (step) => {
    button.setAttribute("aria-disabled", step !== null);
    fill(button, t(step ?? "scenes.submit"));
  };
  return { bar, showStep, showError: (sentence) => fill(alert, sentence ?? "") };
}
