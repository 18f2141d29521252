import { endingOf, nameFrom, uniqueNames } from "./file-names.js";
import { fetchPicture } from "./picture-storage.js";
import { Zip } from "./zip.js";

/** Pictures that are fetched at the same time. */
const AT_ONCE = 3;

/**
 * Fetches every picture of these jobs into one ZIP file.
 *
 * `spare` names pictures without words. `onProgress({done, total})` hears of each. A picture that cannot be had is left
 * out. Resolves to `{blob, count, lost}`: the archive, the pictures in it and those left out. Rejects with a ZipFullError,
 * or with the reason of `signal`.
 */
export async function zipPictures(jobs, { spare, onProgress = () => {}, signal, get = fetchPicture }) {
  const zip = new Zip();
  const unique = uniqueNames();
  const pictures = jobs.flatMap((job) => job.images.map((image) => ({ job, image })));
  let done = 0;
  let lost = 0;

  async function take({ job, image }) {
    const blob = await get(image, { signal }).catch((error) => {
      signal?.throwIfAborted();
      if (error.name !== "ApiError") throw error;
      return null;
    });
    if (blob === null) lost += 1;
    else await zip.add(unique(nameFrom(job.prompt, spare), endingOf(blob.type)), blob, new Date(job.created_at));
    done += 1;
    onProgress({ done, total: pictures.length });
  }
  const waiting = pictures.values();
  const work = async () => {
    for (const next of waiting) {
      signal?.throwIfAborted();
      await take(next);
    }
  };
  onProgress({ done, total: pictures.length });
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { blob: zip.finish(), count: pictures.length - lost, lost };
}
