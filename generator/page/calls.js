// The calls of both protocols, and nothing of the page.

const LOOK_MS = 400;

/** The service said no. `parameter` names the wrong field, if it is one. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.message ?? `The service answered with status ${status}.`);
    this.parameter = problem?.parameter ?? null;
  }
}

async function call(method, path, body, signal) {
  const said =
    body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(path, { method, signal, ...said });
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer === null) throw new Refused(response.status, answer);
  return answer;
}

function pause(signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, LOOK_MS);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason);
      },
      { once: true },
    );
  });
}

/** What the service tells of itself. */
export function health() {
  return call("GET", "/health");
}

/**
 * One job of img_generator: `{imgs, descs}`, base64 PNG and text.
 *
 * `onStatus` hears each status in the protocol's words. Aborting the signal cancels the job.
 */
export async function paint(parameters, onStatus, signal) {
  const id = await call("POST", "/initiate_processing", parameters, signal);
  try {
    for (;;) {
      const status = await call("POST", "/check_status", { id }, signal);
      onStatus(status);
      // The answer to a failed job says why it failed.
      if (status === "finished" || status === "error") return await call("POST", "/get_results", { id }, signal);
      await pause(signal);
    }
  } catch (error) {
    if (signal.aborted) call("POST", "/cancel", { id }).catch(() => {});
    throw error;
  }
}

/** One sheet of the Glide API. Aborting the signal hangs up, which ends the work. */
export function paintSheet(parameters, signal) {
  return call("GET", `/image?${new URLSearchParams(parameters)}`, undefined, signal);
}

/** Sets the steps of both stages. Answers how many parameters their networks have: `{base, up}`. */
export async function setSteps(base, up) {
  const { base_model_total_parameters } = await call("POST", `/basemodel?diffusion_steps=${base}`);
  const { upsample_model_total_parameters } = await call("POST", `/upmodel?diffusion_steps=${up}`);
  return { base: base_model_total_parameters, up: upsample_model_total_parameters };
}
