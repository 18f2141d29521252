/** The longer side of the API's thumbnails in pixels. */
const THUMBNAIL_SIDE = 512;

/**
 * The attributes of an img whose bytes the page may need later.
 *
 * The browser then asks as fetch does. Otherwise it would keep an answer that pages of this origin may not read, and fetch
 * would get that one from the cache.
 */
export const SHARED = { crossorigin: "anonymous" };

/**
 * Return the addresses of a picture for an img, `{src, srcset}`.
 *
 * `isThumbnail` offers the thumbnail and the full picture by width, so that the browser picks what tile and screen
 * need; a picture no larger than its thumbnail has only one. `isRenewed` uses the permanent link, which redirects to a
 * valid URL.
 */
export function sourcesOf(image, { isThumbnail = false, isRenewed = false } = {}) {
  const full = isRenewed ? image.link : image.url;
  if (!isThumbnail) return { src: full, srcset: null };
  const small = isRenewed ? `${image.link}?thumbnail=1` : image.thumbnail_url || image.url;
  const long = Math.max(image.width, image.height);
  if (!(long > THUMBNAIL_SIDE)) return { src: small, srcset: null };
  const width = Math.round((image.width * THUMBNAIL_SIDE) / long);
  return { src: small, srcset: `${small} ${width}w, ${full} ${image.width}w` };
}

/** Return the permanent link of the video of a picture's making. */
export const timelapseLink = ({ link }) => `${link}?timelapse=1`;

/** Return the `sizes` of a gallery tile: its share of a row, slightly more because rows are filled. */
export function tileSizes(ratio) {
  return `min(100vw, calc(clamp(9.4rem, 6rem + 13vw, 40rem) * ${(ratio * 1.15).toFixed(2)}))`;
}

/** Return how many of the first tiles, by their ratios, fit into a row that is `breadth` times as wide as high. */
export function firstRow(ratios, breadth) {
  let used = 0;
  const count = ratios.findIndex((ratio) => {
    used += ratio;
    return used > breadth;
  });
  return Math.max(1, count === -1 ? ratios.length : count);
}
