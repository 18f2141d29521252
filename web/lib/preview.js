import { formatProblem, HEAD_BYTES, isWebp, sizeProblem } from "./start-check.js";

/** The longer side of a preview in pixels, enough for a tile on a high-density screen. */
const SIDE_PX = 256;

/** A file that cannot be a start picture although the browser shows it; `reason` says why. */
class UnusablePicture extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/**
 * Return a small copy of an image file as a data URL, about 10 kB. Rejects if the browser cannot decode the file, or
 * with its `reason` if it cannot be a start picture.
 */
export async function previewOf(file) {
  const bitmap = await createImageBitmap(file);
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  const reason = formatProblem(head) ?? sizeProblem(bitmap, isWebp(head));
  if (reason) throw new UnusablePicture(reason);
  const shrink = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const paper = document.createElement("canvas");
  paper.width = Math.max(1, Math.round(bitmap.width * shrink));
  paper.height = Math.max(1, Math.round(bitmap.height * shrink));
  paper.getContext("2d").drawImage(bitmap, 0, 0, paper.width, paper.height);
  bitmap.close();
  return paper.toDataURL("image/webp", 0.75);
}
