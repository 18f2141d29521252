/** The longer side of a preview in pixels, enough for a tile on a high-density screen. */
const SIDE_PX = 256;

/** Return a small copy of an image file as a data URL, about 10 kB. Rejects if the browser cannot decode the file. */
export async function previewOf(file) {
  const bitmap = await createImageBitmap(file);
  const shrink = Math.min(1, SIDE_PX / Math.max(bitmap.width, bitmap.height));
  const paper = document.createElement("canvas");
  paper.width = Math.max(1, Math.round(bitmap.width * shrink));
  paper.height = Math.max(1, Math.round(bitmap.height * shrink));
  paper.getContext("2d").drawImage(bitmap, 0, 0, paper.width, paper.height);
  bitmap.close();
  return paper.toDataURL("image/webp", 0.75);
}
