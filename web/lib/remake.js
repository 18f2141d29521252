/** The body of a submission that makes a job's pictures once more: every setting as it was resolved, the seed too. */
export const remakeOf = ({ prompt, settings }) => ({ ...settings, prompt });

/** The same with another seed, which the server then chooses. */
export function variationOf(job) {
  const { seed: _, ...rest } = remakeOf(job);
  return rest;
}
