/** Return the request body that repeats a job: all resolved settings, including the seed. */
export const remakeOf = ({ prompt, settings }) => ({ ...settings, prompt });

/** Return the request body that repeats a job with another seed, chosen by the server. */
export function variationOf(job) {
  const { seed: _, ...rest } = remakeOf(job);
  return rest;
}
