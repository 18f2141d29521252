import { getPresets, quoteBatch, submitBatch } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { currentLocale, t, tOr } from "../lib/i18n.js";
import { submitOnce } from "../lib/idempotent-submit.js";
import { redirectToLogin } from "../lib/login-redirect.js";
import { MOST_CHARACTERS, matrixOf, requestsOf, tooMuchIn, UnusableRows } from "../lib/many-requests.js";
import { navigate } from "../lib/router.js";
import { refreshSession } from "../lib/session.js";
import { stylesField } from "../parts/create/styles.js";
import { field } from "../parts/field.js";
import { errorNotice, loading } from "../parts/message.js";

/** Larger files cannot be 200 rows. */
const MOST_BYTES = 4_000_000;

/** Many pictures at once: lines or a CSV, or one prompt with styles and seeds. Count and cost are shown before. */
export function createManyView({ signal }) {
  const place = element("div", {}, loading());
  async function load() {
    fill(place, loading());
    try {
      const presets = await getPresets({ signal });
      fill(place, element("div", { class: "many" }, rowsForm(signal), matrixForm(presets, signal)));
    } catch (error) {
      if (!isAborted(error, signal)) fill(place, errorNotice(error, load));
    }
  }
  load();
  const head = element("h1", { class: "display" }, t("many.title"));
  return { title: t("many.title"), node: element("div", { class: "page" }, head, place) };
}

function rowsForm(signal) {
  const rows = field({
    name: "rows",
    label: t("many.rows"),
    tag: "textarea",
    rows: 10,
    maxlength: MOST_CHARACTERS,
    hint: t("many.rows.hint"),
  });
  rows.input.addEventListener("beforeinput", (event) => refuseTooMuch(event, rows));
  const input = element("input", { type: "file", accept: ".csv,.txt,text/csv,text/plain", hidden: true });
  input.addEventListener("change", async () => {
    const [file] = input.files;
    if (!file) return;
    const isLarge = file.size > MOST_BYTES;
    const text = isLarge ? "" : await file.text();
    const excess = tooMuchIn(text);
    rows.input.value = excess ? "" : text;
    input.value = "";
    rows.input.dispatchEvent(new Event("input", { bubbles: true }));
    if (isLarge) rows.showError(t("many.file.large"));
    else if (excess) rows.showError(rowsInWords(excess));
  });
  const open = element(
    "button",
    { type: "button", class: "button", on: { click: () => input.click() } },
    t("many.file"),
  );
  const read = () => ({ requests: requestsOf(rows.input.value) });
  return groupForm({ heading: t("many.rows.heading"), content: [rows.node, open, input], main: rows, read, signal });
}

/** Refuse an insertion that makes too many rows before the browser lays it out, which takes seconds for a long text. */
function refuseTooMuch(event, { input, showError }) {
  const added = event.data ?? event.dataTransfer?.getData("text/plain");
  if (!added) return;
  const { value, selectionStart, selectionEnd } = input;
  const excess = tooMuchIn(value.slice(0, selectionStart) + added + value.slice(selectionEnd));
  if (excess === null) return;
  event.preventDefault();
  showError(rowsInWords(excess));
}

function matrixForm(presets, signal) {
  const prompt = field({ name: "matrix-prompt", label: t("create.prompt"), tag: "textarea", rows: 4 });
  const seeds = field({ name: "seeds", label: t("many.seeds"), hint: t("many.seeds.hint"), inputmode: "numeric" });
  const styles = stylesField({ ...presets, fields: [{ name: "n", maximum: presets.styles.length }] }, {});
  const read = () =>
    matrixOf({
      prompt: prompt.input.value,
      seeds: seeds.input.value,
      styles: [styles.value()].flat().filter((key) => key !== null),
    });
  const content = [prompt.node, styles.node, seeds.node];
  return groupForm({ heading: t("many.matrix.heading"), content, main: prompt, read, signal });
}

/** Create a form that asks for the count and cost of a group, and submits it when these have been shown. */
function groupForm({ heading, content, main, read, signal }) {
  const said = element("p", { role: "status" });
  const error = element("div", { class: "field-error", role: "alert" });
  const check = element("button", { class: "button" }, t("many.check"));
  const send = element("button", { type: "button", class: "button is-main", hidden: true }, t("many.submit"));
  let checked = null;

  /** A change needs another check: what is submitted is what was counted. */
  function reset() {
    checked = null;
    send.hidden = true;
    fill(said);
    fill(error);
  }
  async function run(action) {
    fill(error);
    check.disabled = send.disabled = true;
    try {
      await action();
    } catch (failure) {
      if (isAborted(failure, signal)) return;
      if (failure.status === 401) return redirectToLogin();
      if (failure instanceof UnusableRows) main.showError(rowsInWords(failure));
      else fill(error, errorText(failure), rowErrors(failure));
    } finally {
      check.disabled = send.disabled = false;
    }
  }
  const count = () =>
    run(async () => {
      reset();
      const body = read();
      const quote = await quoteBatch(body, { signal });
      checked = body;
      const number = new Intl.NumberFormat(currentLocale(), { maximumFractionDigits: 1 });
      const cost = number.format(quote.cost);
      fill(said, t("many.quote", { count: quote.count, cost, today: quote.left_today, queue: quote.left_in_queue }));
      send.hidden = false;
      send.focus();
    });
  const submit = () =>
    run(async () => {
      await submitOnce(checked, { source: "many", signal, submit: submitBatch });
      refreshSession().catch(() => {});
      navigate("/pictures");
    });
  send.addEventListener("click", submit);
  const onSubmit = (event) => {
    event.preventDefault();
    count();
  };
  const actions = element("div", { class: "actions" }, check, send);
  return element(
    "form",
    { class: "many-form", novalidate: true, on: { submit: onSubmit, input: reset } },
    element("h2", {}, heading),
    content,
    said,
    actions,
    error,
  );
}

function rowsInWords({ code, row, limit }) {
  const words = tOr(`invalid.${code}`, code, { limit });
  return row === null ? words : t("many.row", { row, words });
}

/** Return what the API says about rows, the first few: a mistake is often in all of them. */
function rowErrors({ fields, reasons }) {
  const lines = Object.entries(fields).slice(0, 5);
  return element(
    "ul",
    {},
    lines.map(([name, message]) => {
      const [, index, column] = /^requests\.(\d+)\.?(.*)$/.exec(name) ?? [null, null, name];
      const words = tOr(`invalid.${reasons[name]?.code}`, message, { limit: reasons[name]?.limit, message });
      const what = column ? `${column}: ${words}` : words;
      return element("li", {}, index === null ? what : t("many.row", { row: Number(index) + 1, words: what }));
    }),
  );
}
