import { cancelJob, publishJob, submitJob, submitScene, unpublishJob } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { saveDraft, saveSceneDraft } from "../lib/draft.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { FINISHED } from "../lib/job-state.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { remakeOf, variationOf } from "../lib/remake.js";
import { navigate } from "../lib/router.js";
import { announce } from "./announcer.js";
import { downloadAll } from "./download-bar.js";
import { routeLink } from "./link.js";
import { deleteWithUndo } from "./undo-bar.js";

/**
 * Create the buttons and links for what the owner can do with a job in its present state, and a place for errors.
 *
 * `onChange(job)` gets the job after it was published, unpublished or cancelled (create the actions again then),
 * `onNew(job)` a new job made from it, `onGone(job)` a job that is being deleted (`deletions` in undo-bar.js; it can be
 * undone). `signal` aborts pending requests; deletions and downloads continue.
 */
export function jobActions(job, { signal, onChange, onGone, onNew }) {
  const complaint = element("p", { class: "form-error", role: "alert" });
  const act = actor(complaint, signal);
  const isOver = FINISHED.has(job.state);
  const isPainted = job.state === "succeeded" && job.images.length > 0;
  const change = (key, call, said) =>
    act(key, async () => {
      const changed = await call(job.id, { signal });
      onChange(changed);
      announce(t(changed.publication.state === "waiting" && call === publishJob ? "publication.waiting" : said));
    });
  const submit = job.settings.scene ? submitScene : submitJob;
  const paint = (key, body, look) =>
    act(key, async () => onNew(await submitOnce(body, { source: `${key} ${job.id}`, signal, submit })), look);
  const erase = () => {
    deleteWithUndo([job]);
    onGone(job);
  };
  const items = [
    isPainted && download(job, act),
    isPainted && isPublishable(job) && change("actions.publish", publishJob, "actions.published"),
    job.publication?.state === "waiting" && change("actions.unask", unpublishJob, "actions.unpublished"),
    isPainted && job.public && change("actions.unpublish", unpublishJob, "actions.unpublished"),
    isPainted && paint("actions.vary", variationOf(job)),
    isOver && paint(AGAIN[job.state], remakeOf(job), isPainted ? "" : "is-main"),
    isPainted &&
      routeLink(`/create?start=${encodeURIComponent(job.images[0].id)}`, { class: "button" }, t("actions.start")),
    job.settings.scene ? act("actions.scene", () => changeScene(job)) : act("actions.words", () => useWords(job)),
    !isOver && change("actions.cancel", cancelJob, "actions.cancelling"),
    isOver && act("actions.delete", erase, "is-danger"),
  ];
  return element("div", { class: "job-actions", role: "group", "aria-label": t("actions.label") }, items, complaint);
}

/** Jobs from a list come without `publication`; one that may not be published is refused then. */
function isPublishable({ public: isPublic, publication }) {
  return !isPublic && (publication?.state ?? "private") === "private";
}

const AGAIN = { succeeded: "actions.remake", failed: "actions.retry", cancelled: "actions.after_all" };

/** Return a function that creates buttons, each running one task at a time; errors are shown in `complaint`. */
function actor(complaint, signal) {
  return (key, task, look = "") => {
    let isBusy = false;
    async function run() {
      if (isBusy) return;
      isBusy = true;
      // A disabled button would lose the focus.
      button.setAttribute("aria-disabled", "true");
      fill(complaint);
      try {
        await task();
      } catch (error) {
        if (!isAborted(error, signal)) complain(complaint, error);
      } finally {
        isBusy = false;
        button.removeAttribute("aria-disabled");
      }
    }
    const button = element("button", { type: "button", class: `button ${look}`.trim(), on: { click: run } }, t(key));
    return button;
  };
}

function complain(complaint, error) {
  if (error.status === 401) {
    redirectToLogin();
  } else {
    fill(complaint, errorText(error));
  }
}

/** Return the download: one picture by its permanent link, several as a ZIP file. */
function download(job, act) {
  const { images } = job;
  if (images.length > 1) return act("actions.download_all", () => void downloadAll([job]));
  return element("a", { href: `${images[0].link}?download=1`, download: true, class: "button" }, t("actions.download"));
}

function changeScene(job) {
  saveSceneDraft(remakeOf(job));
  navigate("/scenes");
}

function useWords({ prompt, settings }) {
  const { type, style, pixel_art, aspect, quality, n, negative_prompt, likeness } = settings;
  saveDraft({ prompt, type, style, pixel_art, aspect, quality, n, negative_prompt, likeness });
  navigate("/create");
}
