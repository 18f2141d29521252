/** The longer side of a small picture, enough for a tile on a dense screen. */
const SIDE_PX = 256;

/** A small copy of a picture file as a data URL, about 10 kB. Rejects when the browser cannot read the file as a picture. */
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
