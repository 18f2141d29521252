import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { SHARED, sourcesOf, tileSizes } from "../lib/picture-sources.js";
import { ratioOf } from "../lib/presets.js";
import { Renewals } from "../lib/renewals.js";

let renewals = null;

/**
 * Create an img for a job's picture, with its size set in advance to avoid layout shifts.
 *
 * `isThumbnail` is for a tile: the browser uses the thumbnail where that is sufficient. `isEager` is for pictures
 * visible at first. Presigned URLs expire while the page is open: a picture not loaded by then, and one whose loading
 * fails, uses the permanent link, which redirects to a fresh URL. If that fails too, a message is shown, and the
 * picture is retried when the network is back.
 */
export function picture(image, { prompt, isThumbnail = false, isEager = false }) {
  const node = element("img", {
    ...SHARED,
    width: image.width,
    height: image.height,
    alt: wordsFor(image, prompt),
    loading: isEager ? "eager" : "lazy",
    fetchpriority: isEager ? "high" : null,
    decoding: "async",
    class: "picture",
  });
  const lost = element("span", { class: "picture-lost" }, t("picture.lost"));
  const expiry = { at: Date.parse(image.url_expires_at), isGone: () => !node.isConnected, renew: () => load(true) };
  const revival = { at: Infinity, isGone: () => !lost.isConnected, renew: revive };
  let isRenewed = false;

  function load(renewed) {
    isRenewed = renewed;
    const { src, srcset } = sourcesOf(image, { isThumbnail, isRenewed });
    if (srcset) {
      const sizes = tileSizes(ratioOf(image));
      // The layout of a lazy picture is known before it is fetched, so browsers that support it take its width from
      // there.
      node.setAttribute("sizes", isEager ? sizes : `auto, ${sizes}`);
      node.setAttribute("srcset", srcset);
    }
    node.src = src;
  }
  function revive() {
    lost.replaceWith(node);
    load(true);
  }
  node.addEventListener("load", () => {
    node.classList.add("is-loaded");
    waiting().delete(expiry);
  });
  node.addEventListener("error", () => {
    waiting().delete(expiry);
    if (!isRenewed) return load(true);
    node.replaceWith(lost);
    waiting().add(revival);
  });
  const isExpired = expiry.at <= Date.now();
  load(isExpired);
  if (!isExpired && !isEager) waiting().add(expiry);
  return node;
}

/** Return the alternative text. */
function wordsFor({ description, index }, prompt) {
  return description || t("picture.of", { prompt: prompt || t("picture.untitled"), index });
}

/** Return the pictures that may need renewal. A tab that wakes checks immediately, since its timers were suspended. */
function waiting() {
  if (renewals !== null) return renewals;
  renewals = new Renewals();
  document.addEventListener("visibilitychange", () => document.hidden || renewals.renewDue());
  addEventListener("pageshow", () => renewals.renewDue());
  addEventListener("online", () => renewals.renewDue(Infinity));
  return renewals;
}
