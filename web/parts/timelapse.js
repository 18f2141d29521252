import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { timelapseLink } from "../lib/picture-sources.js";

/** Create the player of the video of a job's making, with the finished picture as its poster; null without a video. */
export function timelapse({ images: [image], timelapse_url: address }) {
  if (!address) return null;
  const stable = timelapseLink(image);
  const video = element("video", {
    src: address,
    poster: image.thumbnail_url,
    width: image.width,
    height: image.height,
    controls: true,
    playsinline: true,
    preload: "metadata",
    "aria-label": t("timelapse.label"),
  });
  // The presigned URL expires while the page is open.
  video.addEventListener("error", () => {
    if (video.getAttribute("src") !== stable) video.src = stable;
  });
  const save = element("a", { href: `${stable}&download=1`, download: true }, t("timelapse.download"));
  return element("figure", { class: "timelapse" }, video, element("figcaption", { class: "placard-tools" }, save));
}
