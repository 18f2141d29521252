import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { sourcesOf, tileSizes } from "../lib/picture-sources.js";
import { ratioOf } from "../lib/presets.js";
import { Renewals } from "../lib/renewals.js";

let renewals = null;

/**
 * A picture of a job, with its size set beforehand so that nothing moves when it comes.
 *
 * `isThumbnail` is for a tile of a wall: the browser takes the small version where that is enough. `isEager` is for what
 * is seen first. A presigned URL runs out while the page is open: a picture that was not loaded by then, and one whose
 * loading fails, goes through the lasting link, which leads to a fresh URL. When that fails too it is said in words, and
 * tried again as soon as the network is back.
 */
export function picture(image, { prompt, isThumbnail = false, isEager = false }) {
  const node = element("img", {
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

  function load(anew) {
    isRenewed = anew;
    const { src, srcset } = sourcesOf(image, { isThumbnail, isRenewed });
    if (srcset) {
      const sizes = tileSizes(ratioOf(image));
      // A lazy picture's place is known before it is fetched, and browsers that can take its width from there.
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

/** What the picture shows, for those who do not see it. */
function wordsFor({ description, index }, prompt) {
  return description || t("picture.of", { prompt: prompt || t("picture.untitled"), index });
}

/** All pictures that may have to be renewed. A tab that wakes looks at once, since its timers slept with it. */
function waiting() {
  if (renewals !== null) return renewals;
  renewals = new Renewals();
  document.addEventListener("visibilitychange", () => document.hidden || renewals.renewDue());
  addEventListener("pageshow", () => renewals.renewDue());
  addEventListener("online", () => renewals.renewDue(Infinity));
  return renewals;
}
