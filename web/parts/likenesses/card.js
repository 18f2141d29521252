import { changeLikeness, deleteLikeness, getLikeness } from "../../lib/api.js";
import { element, fill, uniqueId } from "../../lib/dom.js";
import { readDraft, saveDraft } from "../../lib/draft.js";
import { errorText, isAborted } from "../../lib/error-text.js";
import { t } from "../../lib/i18n.js";
import { redirectToLogin } from "../../lib/login-redirect.js";
import { navigate } from "../../lib/router.js";
import { dayOf } from "../../lib/time.js";
import { announce } from "../announcer.js";
import { confirmAction } from "../confirm.js";
import { copyButton } from "../copy-button.js";
import { checkbox } from "../create/checkbox.js";
import { field, showFieldErrors } from "../field.js";
import { reasonInWords } from "../reason.js";
import { trainingProgress } from "./training.js";

const UNFINISHED = new Set(["queued", "training"]);
/** The states in which the code works, or may come to work. */
const ALIVE = new Set([...UNFINISHED, "ready"]);

/**
 * Create the card of a likeness; while it is trained it follows the training.
 *
 * `follow(jobId, isFollowed)` reports what is followed, `mayHold()` says whether the server may hold its answers,
 * `onGone()` is called after the deletion. Returns `{node, focus}`.
 */
export function likenessCard(first, { canUse, signal, follow, mayHold, onGone }) {
  const heading = element("h3", { id: uniqueId("likeness"), tabindex: -1 });
  const body = element("div", { class: "likeness-body" });
  const alert = element("p", { class: "form-error", role: "alert" });
  const node = element("li", { class: "likeness", "aria-labelledby": heading.id }, heading, body, alert);

  /** Run a change of the likeness; its errors are shown on the card. Resolves to whether it was made. */
  async function attempt(work) {
    fill(alert);
    try {
      await work();
      return true;
    } catch (error) {
      if (isAborted(error, signal)) return false;
      if (error.status === 401) redirectToLogin();
      fill(alert, errorText(error));
      return false;
    }
  }
  function show(likeness) {
    const { state, job_id: jobId } = likeness;
    fill(heading, nameOf(likeness));
    const facts = element("p", { class: "hint" }, factsOf(likeness));
    const code = ALIVE.has(state) ? codeLine(likeness) : null;
    if (UNFINISHED.has(state)) {
      const progress = trainingProgress(jobId, { mayHold, signal, onEnd: refresh, onError: refuse });
      follow(jobId, true);
      return void fill(body, facts, code, progress);
    }
    const ready = state === "ready" ? readyParts(likeness, { canUse, attempt, rename: show, signal }) : [];
    fill(
      body,
      facts,
      code,
      troubleOf(likeness),
      ready,
      element("div", { class: "actions" }, useButton(likeness), remover(likeness)),
    );
  }
  const useButton = (likeness) =>
    canUse &&
    likeness.state === "ready" &&
    element("button", { type: "button", class: "button", on: { click: () => use(likeness) } }, t("likenesses.use"));

  async function refresh() {
    follow(first.job_id, false);
    await attempt(async () => {
      const ended = await getLikeness(first.code, { signal });
      show(ended);
      announce(t(`likenesses.ended.${ended.state}`));
    });
  }
  /** The job's end was not seen: it was deleted elsewhere, or the session has expired. */
  function refuse(error) {
    follow(first.job_id, false);
    if (isAborted(error, signal)) return;
    if (error.status === 401) return redirectToLogin({ replace: true });
    if (error.status === 404) return leave();
    fill(alert, errorText(error));
  }
  function remover(likeness) {
    const label = t("likenesses.delete.label", { name: nameOf(likeness) });
    const attributes = { type: "button", class: "button is-danger", "aria-label": label };
    return element("button", { ...attributes, on: { click: () => erase(likeness) } }, t("likenesses.delete"));
  }
  async function erase(likeness) {
    const words = {
      question: t("likenesses.delete.ask", { name: nameOf(likeness) }),
      detail: t("likenesses.delete.detail"),
      action: t("likenesses.delete"),
    };
    if (!(await confirmAction(words))) return;
    const isGone = await attempt(() =>
      deleteLikeness(likeness.code, { signal }).catch((error) => {
        if (error.status !== 404) throw error; // deleted in another tab
      }),
    );
    if (isGone) leave();
  }
  function leave() {
    node.remove();
    announce(t("likenesses.deleted"));
    onGone();
  }
  show(first);
  return { node, focus: () => heading.focus() };
}

const nameOf = ({ name, subject }) => name || t(`likenesses.subject.${subject}`);

function factsOf({ subject, state, created_at: created, expires_at: expires }) {
  const day = expires && dayOf(expires);
  const until = state === "ready" && t("likenesses.expires", { day });
  const made = t("likenesses.made", { day: dayOf(created) });
  return [t(`likenesses.subject.${subject}`), made, until].filter(Boolean).join(" · ");
}

function codeLine({ code, state }) {
  const label = t("likenesses.code");
  const note = state === "ready" ? t("likenesses.code.hint") : t("likenesses.code.later");
  return element(
    "div",
    { class: "likeness-code" },
    element("span", {}, label),
    element("code", { "aria-label": `${label} ${code}` }, code),
    copyButton(code, t("likenesses.copy")),
    element("p", { class: "hint" }, note),
  );
}

/** Say why a likeness does not work, and what can be done. */
function troubleOf({ state, error }) {
  if (state === "ready") return null;
  const why = error ? reasonInWords({ code: error.code, detail: error.message }) : null;
  return element("p", {}, [t(`likenesses.ended.${state}`), why, t("likenesses.anew")].filter(Boolean).join(" "));
}

function readyParts(likeness, { canUse, attempt, rename, signal }) {
  const { code, report } = likeness;
  const share = checkbox({
    name: "shared",
    label: t("likenesses.share"),
    hint: t("likenesses.share.hint"),
    checked: likeness.shared,
    onChange: async (shared) => {
      const isChanged = await attempt(async () =>
        Object.assign(likeness, await changeLikeness(code, { shared }, { signal })),
      );
      if (isChanged) announce(t(shared ? "likenesses.shared" : "likenesses.unshared"));
      else share.input.checked = !shared;
    },
  });
  return [
    report?.trigger && element("p", {}, t("likenesses.trigger", { trigger: report.trigger })),
    !canUse && element("p", { class: "hint" }, t("likenesses.no_use")),
    share.node,
    renameForm(likeness, { rename, signal }),
  ];
}

function renameForm(likeness, { rename, signal }) {
  const name = field({ name: "name", label: t("likenesses.name"), maxlength: 100, autocomplete: "off" });
  name.input.value = likeness.name;
  const alert = element("p", { class: "form-error", role: "alert" });
  const button = element("button", { class: "button" }, t("likenesses.rename.save"));
  const form = element("form", { novalidate: true }, name.node, element("div", { class: "actions" }, button), alert);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    fill(alert);
    try {
      rename(await changeLikeness(likeness.code, { name: name.input.value.trim() }, { signal }));
      announce(t("likenesses.renamed"));
    } catch (error) {
      if (!isAborted(error, signal) && !showFieldErrors({ name }, error)) fill(alert, errorText(error));
    }
  });
  return element("details", { class: "likeness-rename" }, element("summary", {}, t("likenesses.rename")), form);
}

/** Continue in the form for new pictures, with the code in it; an empty prompt gets the word for the subject. */
function use({ code, report }) {
  const draft = readDraft();
  saveDraft({ ...draft, likeness: code, prompt: draft.prompt || report?.trigger || "" });
  navigate("/create");
}
