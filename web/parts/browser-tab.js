import { t } from "../lib/i18n.js";
import { percentOf, stateOf } from "../lib/job-state.js";
import { progressIconUrl } from "../lib/progress-icon.js";
import { placeInWords } from "../lib/queue-place.js";
import { setTitle } from "../lib/router.js";
import { truncate } from "../lib/truncate.js";

/** Characters of the prompt in the tab's title. */
const PROMPT_LENGTH = 40;

/**
 * Return a function that shows a job in the browser's tab: in its title and icon.
 *
 * The site's icon is restored when `signal` is aborted (the title belongs to the next view).
 */
export function showInBrowserTab(signal) {
  const icon = document.querySelector('link[rel="icon"]');
  const own = icon.getAttribute("href");
  signal.addEventListener("abort", () => icon.setAttribute("href", own));

  return (job) => {
    if (signal.aborted) return;
    setTitle(
      t("job.tab", { state: stateInShort(job), prompt: truncate(job.prompt, PROMPT_LENGTH) || t("picture.untitled") }),
    );
    const address = progressIconUrl({ state: job.state, percent: percentOf(job) }, colours());
    if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
  };
}

function stateInShort(job) {
  const percent = job.state === "generating" ? percentOf(job) : null;
  if (percent !== null) return t("job.percent", { percent });
  const state = stateOf(job);
  return state === "queued" ? (placeInWords(job, { inShort: true }) ?? t("job.short.queued")) : t(`job.short.${state}`);
}

/** Return the current colours of the style sheets, light or dark. */
function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return { paper: read("paper"), line: read("line"), accent: read("accent"), good: read("good"), bad: read("bad") };
}
