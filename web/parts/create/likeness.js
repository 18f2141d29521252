import { listLikenesses } from "../../lib/api.js";
import { element, fill } from "../../lib/dom.js";
import { t } from "../../lib/i18n.js";
import { codesOf, likenessOf, readCodes, showCodes } from "../../lib/likeness-codes.js";
import { currentSession, onSessionChange } from "../../lib/session.js";
import { field } from "../field.js";

const MOST_LISTED = 100;
/** Long enough for three codes in groups of digits, with what is between them. */
const MOST_CHARACTERS = 60;

/**
 * Create the field for the codes of likenesses, with the user's own ones to choose from: a field with `load`.
 *
 * `likeness` is that of a draft. `hint` is shown until a chosen likeness has a word for its subject; with
 * `isNamed` false it always is. `load()` fetches the user's likenesses, once; it is called when the field can be seen,
 * and repeated after a login.
 */
export function likenessField({ likeness: given, signal, hint = t("create.likeness.hint"), isNamed = true }) {
  const own = element("div", { class: "examples", role: "group", "aria-label": t("likenesses.yours") });
  const made = field({
    name: "likeness",
    label: t("create.likeness"),
    inputmode: "numeric",
    autocomplete: "off",
    maxlength: MOST_CHARACTERS,
    hint,
  });
  const { input } = made;
  const codes = () => readCodes(input.value);
  let known = null;
  let isSeen = false;
  input.value = showCodes(codesOf(given));
  input.addEventListener("input", keepInStep);
  onSessionChange(() => isSeen && load(), { signal });
  made.node.append(own);

  function keepInStep() {
    const chosen = codes();
    for (const chip of own.children) chip.setAttribute("aria-pressed", String(chosen.includes(chip.dataset.code)));
    const triggers = (known ?? []).filter(({ code }) => chosen.includes(code)).map(({ report }) => report?.trigger);
    const trigger = triggers.filter(Boolean).join(", ");
    made.showHint(trigger && isNamed ? t("likenesses.trigger", { trigger }) : hint);
  }
  function chip({ code, name, subject }) {
    const choose = () => {
      const others = codes().filter((one) => one !== code);
      input.value = showCodes(others.length < codes().length ? others : [...others, code]);
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
  return { ...made, value: () => likenessOf(codes(), given), load };
}
