import { getPresets, submitJob } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { keepDraft, readDraft } from "../lib/draft.js";
import { explain, isLeaving } from "../lib/explain.js";
import { navigate } from "../lib/router.js";
import { current, expire, onChange, refresh } from "../lib/session.js";
import { bodyOf } from "../lib/shape.js";
import { Submission } from "../lib/submission.js";
import { t } from "../lib/text.js";
import { createForm } from "../parts/create-form.js";
import { showFieldErrors } from "../parts/field.js";
import { failure, loading } from "../parts/message.js";

/** The form that makes a job. What stands in it survives a reload and logging in. */
export function createView({ signal }) {
  const node = element("div", { class: "page" }, element("h1", { class: "display" }, t("create.heading")));
  const place = element("div", {}, loading());
  node.append(place);

  async function load() {
    fill(place, loading());
    try {
      const form = createForm(await getPresets({ signal }), readDraft());
      fill(place, form.node);
      wire(form, signal);
    } catch (error) {
      if (!isLeaving(error, signal)) fill(place, failure(error, load));
    }
  }
  load();
  return { title: t("create.title"), node };
}

function wire(form, signal) {
  const submission = new Submission(sessionStorage);
  const showQuota = () => form.showQuota(current()?.quota ?? null);
  onChange(showQuota, { signal });
  showQuota();
  form.node.addEventListener("input", () => keepDraft(form.values()));
  form.node.addEventListener("submit", async (event) => {
    event.preventDefault();
    keepDraft(form.values());
    if (current() === null) return navigate("/login?next=/create");
    form.setSending(true);
    const body = bodyOf(form.values());
    try {
      const job = await submitJob(body, submission.keyFor(body), { signal });
      submission.settle();
      refresh().catch(() => {});
      navigate(`/pictures/${job.id}`);
    } catch (error) {
      if (!isLeaving(error, signal)) showFailure(form, submission, error);
    } finally {
      form.setSending(false);
    }
  });
}

/** An answer that was lost keeps the submission open, so that the next click repeats it instead of making another. */
function showFailure(form, submission, error) {
  if (error.status === 401) {
    expire();
    return navigate("/login?next=/create");
  }
  const sentence = explain(error);
  if (!error.isPassing) submission.settle();
  const shown = showFieldErrors(form.fields, error);
  form.showError(error.isNetwork ? `${sentence} ${t("create.again")}` : shown ? null : sentence);
}
