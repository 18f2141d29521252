import { endingOf, nameFrom, uniqueNames } from "./file-names.js";
import { timelapseLink } from "./picture-sources.js";
import { fetchPicture } from "./picture-storage.js";
import { Zip } from "./zip.js";

/** Pictures fetched at the same time. */
const AT_ONCE = 3;

/**
 * Fetch all pictures of these jobs, and the videos of their making, into one ZIP file.
 *
 * `spare` is the name of pictures without a prompt. `onProgress({done, total})` is called for each. Pictures that
 * cannot be fetched are left out. Resolves to `{blob, count, lost}`: the archive and the numbers of pictures in it and
 * left out. Rejects with a ZipFullError, or with the reason of `signal`.
 */
export async function zipPictures(jobs, { spare, onProgress = () => {}, signal, get = fetchPicture }) {
  const zip = new Zip();
  const unique = uniqueNames();
  const pictures = jobs.flatMap((job) => filesOf(job).map((image) => ({ job, image })));
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

/** Return the pictures of a job, and a link in place of its video. */
function filesOf({ images, timelapse_url: video }) {
  return video ? [...images, { link: timelapseLink(images[0]) }] : images;
}
