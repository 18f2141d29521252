/** Return the request body that repeats a job: all resolved settings, including the seed. */
export const remakeOf = ({ prompt, settings }) => (settings.scene ? sceneOf(settings) : { ...settings, prompt });

/** Return the request body that repeats a job with another seed, chosen by the server. */
export function variationOf(job) {
  const { seed: _, ...rest } = remakeOf(job);
  return rest;
}

/** Return the body of `POST /v1/scenes` for a job with a scene, without what only this job has. */
function sceneOf({ scene, quality, seed, notify, webhook_url, likeness }) {
  const { background: _background, pose: _pose, code: _code, action_prompt, ...asked } = scene;
  const words = action_prompt ? { dynamic_action: true, action_prompt } : {};
  const faces = likeness ? { likeness } : {};
  return { ...asked, ...words, ...faces, quality, seed, notify, webhook_url };
}
