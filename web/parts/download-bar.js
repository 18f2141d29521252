import { element, fill } from "../lib/dom.js";
import { nameFrom } from "../lib/file-names.js";
import { t } from "../lib/i18n.js";
import { zipPictures } from "../lib/zip-pictures.js";
import { announce } from "./announcer.js";
import { showBar, showNotice } from "./notice-bar.js";

/** Long enough for the browser to have read the file. */
const KEPT_MS = 60_000;

/** Save all pictures of these jobs as one ZIP file. A bar shows the progress and can stop it, also in other views. */
export async function downloadAll(jobs) {
  const leaving = new AbortController();
  const words = element("p", {});
  const bar = element("progress", { max: 1, value: 0, "aria-label": t("download.progress") });
  const stop = element(
    "button",
    { type: "button", class: "button is-quiet", on: { click: () => leaving.abort() } },
    t("download.stop"),
  );
  const remove = showBar(words, bar, stop);
  announce(t("download.started"));
  const onProgress = ({ done, total }) => {
    fill(words, t("download.of", { done, total }));
    bar.value = done / total;
  };
  try {
    const made = await zipPictures(jobs, { spare: t("download.spare"), onProgress, signal: leaving.signal });
    showResult(made);
    if (made.count > 0) save(made.blob, archiveName(jobs));
  } catch (error) {
    if (leaving.signal.aborted) announce(t("download.stopped"));
    else if (error.name === "ZipFullError") showNotice(t("download.full"), { isBad: true });
    else throw error;
  } finally {
    remove();
  }
}

function showResult({ count, lost }) {
  if (lost === 0) announce(t("download.done", { n: count }));
  else if (count === 0) showNotice(t("download.none"), { isBad: true });
  else showNotice(t("download.lost", { n: lost, kept: count }), { isBad: true });
}

function archiveName(jobs) {
  const spare = `easel-${new Date().toISOString().slice(0, 10)}`;
  return `${jobs.length === 1 ? nameFrom(jobs[0].prompt, spare) : spare}.zip`;
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}
