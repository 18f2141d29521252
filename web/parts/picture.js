import { element } from "../lib/dom.js";
import { t } from "../lib/text.js";

/**
 * A picture of a job, with its size set beforehand so that nothing moves when it comes.
 *
 * A presigned URL may have expired while the page was open: the first failure asks the lasting link for a fresh one, the
 * second says so in words. `isThumbnail` chooses the small version.
 */
export function picture(image, { prompt, isThumbnail = false, isEager = false }) {
  const node = element("img", {
    src: (isThumbnail && image.thumbnail_url) || image.url,
    width: image.width,
    height: image.height,
    alt: image.description || t("picture.of", { prompt: prompt || t("picture.untitled"), index: image.index }),
    loading: isEager ? null : "lazy",
    decoding: "async",
    class: "picture",
  });
  node.addEventListener("load", () => node.classList.add("is-loaded"));
  node.addEventListener("error", () => {
    node.addEventListener("error", () => showLoss(node), { once: true });
    node.src = isThumbnail ? `${image.link}?thumbnail=1` : image.link;
  }, { once: true });
  return node;
}

function showLoss(node) {
  node.replaceWith(element("p", { class: "picture-lost" }, t("picture.lost")));
}
