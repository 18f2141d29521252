/** How much of a file `formatProblem` needs. */
export const HEAD_BYTES = 64 * 1024;

/** The limits of the API: each side in pixels, how many times longer one may be, and pixels in all. */
const MIN_SIDE_PX = 8;
const MAX_SIDE_PX = 16384;
const MAX_RATIO = 256;
const MAX_PIXELS = 8192 * 6144;
const MAX_WEBP_PIXELS = 4096 * 3072;

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const text = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
export const isPng = (head) => PNG.every((byte, index) => head[index] === byte);
export const isWebp = (head) => text(head, 0, 4) === "RIFF" && text(head, 8, 12) === "WEBP";

/**
 * Return why a file cannot be a start picture, as its first bytes say, whatever it is called: "type", "animated" or
 * null. The API checks the same.
 */
export function formatProblem(head) {
  const isJpeg = head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff;
  if (isWebp(head)) return text(head, 12, 16) === "VP8X" && head[20] & 2 ? "animated" : null;
  if (!isPng(head)) return isJpeg ? null : "type";
  for (const { kind, data } of pngChunks(head)) {
    if (kind === "acTL" && data.byteLength >= 4 && data.getUint32(0) > 1) return "animated";
  }
  return null;
}

/** Return "small" or "pixels" if a start picture, a WebP or another, cannot have this size, else null. */
export function sizeProblem({ width, height }, webp = false) {
  const most = webp ? MAX_WEBP_PIXELS : MAX_PIXELS;
  if (width * height > most || Math.max(width, height) > MAX_SIDE_PX) return "pixels";
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  return short < MIN_SIDE_PX || long > MAX_RATIO * short ? "small" : null;
}

/** Yield `{kind, data}` of the whole chunks before a PNG's pixels; `data` is a DataView. */
export function* pngChunks(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let place = PNG.length; place + 12 <= bytes.length; ) {
    const length = view.getUint32(place);
    const kind = text(bytes, place + 4, place + 8);
    if (kind === "IDAT" || place + 12 + length > bytes.length) return;
    yield { kind, data: new DataView(bytes.buffer, bytes.byteOffset + place + 8, length) };
    place += 12 + length;
  }
}
