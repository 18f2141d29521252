/** The long side of the small version that the API makes of every picture, in pixels. */
const THUMBNAIL_SIDE = 512;

/**
 * Where the bytes of a picture are: `{src, srcset}`, for the attributes of an img.
 *
 * `isThumbnail` offers the small version beside the full one by their widths, so that the browser takes the one that the
 * tile and the screen need; a picture that is no larger than its small version has only that. `isRenewed` goes through
 * the lasting link, which always leads to a URL that holds.
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

/** How wide a tile of the wall becomes, for `sizes`: its share of a row, a little more since rows are filled. */
export function tileSizes(ratio) {
  return `min(100vw, calc(clamp(9.4rem, 6rem + 13vw, 40rem) * ${(ratio * 1.15).toFixed(2)}))`;
}

/** How many of the first tiles of a wall, by their ratios, stand in its first row, when a row is `breadth` times as wide as high. */
export function firstRow(ratios, breadth) {
  let used = 0;
  const count = ratios.findIndex((ratio) => {
    used += ratio;
    return used > breadth;
  });
  return Math.max(1, count === -1 ? ratios.length : count);
}
