import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { fetchCatalogue, named } from "../../lib/scene-catalogue.js";
import { copyLink } from "../copy-link.js";
import { ageInWords, genderInWords, shotInWords } from "./groups.js";

/**
 * Create what the page of a scene's job shows of the scene: who and where, and the code that leads to the picture.
 *
 * The catalogue's names replace the keys once they are fetched. Returns `{node, show}`; `show(job)` updates it.
 */
export function sceneCard({ settings: { scene } }, { signal }) {
  const rows = element("dl", { class: "recipe" }, rowsOf(scene));
  const link = copyLink({ label: t("scenes.link") });
  const hint = element("p", { class: "hint" });
  link.show(new URL(`/s/${scene.code}`, location.href).href);
  const code = element("p", {}, t("scenes.code"), " ", element("code", { class: "scene-code" }, scene.code));
  const sharing = element("div", { class: "scene-sharing" }, code, link.node, hint);
  const made = element("p", { class: "scene-made" }, t("scenes.machine"));
  const node = element("section", { class: "scene-card", "aria-label": t("scenes.card") }, made, rows, sharing);
  fetchCatalogue({ signal }).then(
    (catalogue) => fill(rows, rowsOf(scene, catalogue)),
    () => {}, // the keys are readable, too
  );

  function show({ state }) {
    sharing.hidden = state === "failed" || state === "cancelled";
    made.hidden = state !== "succeeded";
    fill(hint, t(state === "succeeded" ? "scenes.link.ready" : "scenes.link.waiting"));
  }
  return { node, show };
}

function rowsOf(scene, { places = [], actions = [] } = {}) {
  const nameOf = (entries, key) => named(entries.find((one) => one.key === key)?.names ?? { en: key });
  const rows = [
    ["scenes.place", nameOf(places, scene.place)],
    ["scenes.action", nameOf(actions, scene.action)],
    ["scenes.shot", shotInWords(scene.shot)],
    ["scenes.gender", `${genderInWords(scene.gender)}, ${ageInWords(scene.age)}`],
    ["scenes.details", scene.details],
  ];
  return rows
    .filter(([, value]) => value)
    .map(([key, value]) => element("div", {}, element("dt", {}, t(key)), element("dd", {}, value)));
}
