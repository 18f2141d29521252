import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { mannequin, named, placePicture } from "../../lib/scene-catalogue.js";
import { AGES, GENDERS, SHOTS } from "../../lib/scene-request.js";
import { choice } from "../choice.js";

const SHOT_WORDS = { CLS: "scenes.shot.close", MES: "scenes.shot.medium", FUS: "scenes.shot.far" };

export const shotInWords = (shot) => t(SHOT_WORDS[shot]);
export const ageInWords = (age) => t(`scenes.age.${age}`);
export const genderInWords = (gender) => t(`scenes.gender.${gender}`);

/** Return a function that creates a picture of the catalogue: one whose address has expired gets a fresh one. */
function pictures({ catalogue, renew }) {
  return (find, attributes = { alt: "" }) => {
    const picture = element("img", { ...attributes, src: find(catalogue), loading: "lazy", on: { error: replace } });
    let isRenewed = false;
    async function replace() {
      const fresh = isRenewed ? null : await renew(find).catch(() => null);
      isRenewed = true;
      if (fresh) picture.src = fresh;
      else picture.remove();
    }
    return element("span", { class: "example" }, picture);
  };
}

/** Create the group of places. */
export function placeGroup(source, chosen, onChange) {
  const picture = pictures(source);
  const options = source.catalogue.places.map(({ key, names }) => ({
    value: key,
    title: named(names),
    picture: picture(placePicture(key, 0)),
  }));
  return choice({ name: "place", legend: t("scenes.place"), options, chosen, onChange });
}

/** Create the group of a place's pictures, hidden if there is one. `rebuild(key, index)` shows those of a place. */
export function placePictureGroup(source, key, chosen) {
  const picture = pictures(source);
  const made = rebuilt((key, chosen) => {
    const place = source.catalogue.places.find((one) => one.key === key);
    const options = place.pictures.map(({ index, description }) => ({
      value: index,
      title: t("scenes.view", { number: index + 1 }),
      picture: picture(placePicture(key, index), { alt: description, lang: "en" }),
    }));
    const group = choice({ name: "place_picture", legend: t("scenes.place_picture"), options, chosen });
    group.node.hidden = options.length === 1;
    return { ...group, value: () => Number(group.value()) };
  });
  made.rebuild(key, chosen);
  return made;
}

/** Create the group of actions; the last option, with the value null, leaves the choice to the user's words. */
export function actionGroup(source, chosen, onChange) {
  const picture = pictures(source);
  const options = source.catalogue.actions.map(({ key, names }) => ({
    value: key,
    title: named(names),
    picture: picture(mannequin(key, "MES")),
  }));
  options.push({ value: null, title: t("scenes.action.own"), note: t("scenes.action.own.note") });
  return choice({ name: "action", legend: t("scenes.action"), options, chosen, onChange });
}

/** Create the group of shots. `rebuild(key, shot)` shows the mannequins of an action. */
export function shotGroup(source, key, chosen) {
  const picture = pictures(source);
  const made = rebuilt((key, chosen) => {
    const options = SHOTS.map((shot) => ({
      value: shot,
      title: shotInWords(shot),
      picture: picture(mannequin(key, shot)),
    }));
    return choice({ name: "shot", legend: t("scenes.shot"), options, chosen });
  });
  made.rebuild(key, chosen);
  return made;
}

export function ageGroup(chosen) {
  const options = AGES.map((age) => ({ value: age, title: ageInWords(age) }));
  return choice({ name: "age", legend: t("scenes.age"), options, chosen, isCompact: true });
}

export function genderGroup(chosen) {
  const options = GENDERS.map((gender) => ({ value: gender, title: genderInWords(gender) }));
  return choice({ name: "gender", legend: t("scenes.gender"), options, chosen, isCompact: true });
}

/** Return a choice whose options depend on another one: `rebuild(...)` replaces them with those of `make(...)`. */
function rebuilt(make) {
  const node = element("div", {});
  let group = null;
  return {
    node,
    get input() {
      return group.input;
    },
    value: () => group.value(),
    showError: (message) => group.showError(message),
    rebuild: (...about) => {
      group = make(...about);
      fill(node, group.node);
    },
  };
}
