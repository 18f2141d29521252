import { listLikenesses } from "../../lib/api.js";
import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { currentSession, onSessionChange } from "../../lib/session.js";
import { field } from "../field.js";

const MOST_LISTED = 100;

/**
 * Create the field for the code of a likeness, with the user's own ones to choose from: a field with `load`.
 *
 * `load()` fetches the user's likenesses, once; it is called when the field can be seen, and repeated after a login.
 */
export function likenessField({ likeness: given }, signal) {
  const own = element("div", { class: "examples", role: "group", "aria-label": t("likenesses.yours") });
  const made = field({
    name: "likeness",
    label: t("create.likeness"),
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: 20,
    hint: t("create.likeness.hint"),
  });
  const { input } = made;
  const value = () => input.value.replaceAll(/\s/g, "") || null;
  let known = null;
  let isSeen = false;
  if (typeof given === "string") input.value = given;
  input.addEventListener("input", keepInStep);
  onSessionChange(() => isSeen && load(), { signal });
  made.node.append(own);

  function keepInStep() {
    const chosen = known?.find(({ code }) => code === value());
    for (const chip of own.children) chip.setAttribute("aria-pressed", String(chip.dataset.code === value()));
    const trigger = chosen?.report?.trigger;
    made.showHint(trigger ? t("likenesses.trigger", { trigger }) : t("create.likeness.hint"));
  }
  function chip({ code, name, subject }) {
    const choose = () => {
      input.value = value() === code ? "" : code;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const attributes = { type: "button", class: "chip", "data-code": code, on: { click: choose } };
    return element("button", attributes, name || t(`likenesses.subject.${subject}`));
  }
  async function load() {
    isSeen = true;
    if (known !== null || !currentSession()) return;
    known = [];
    try {
      const { likenesses } = await listLikenesses({ limit: MOST_LISTED }, { signal });
      known = likenesses.filter(({ state }) => state === "ready");
    } catch (error) {
      // The codes are an aid: the field works without them, and the next look asks again.
      if (error.name !== "ApiError" && !signal.aborted) throw error;
      known = null;
    }
    fill(own, known?.map(chip));
    own.hidden = !known?.length;
    keepInStep();
  }
  own.hidden = true;
  return { ...made, value, load };
}
