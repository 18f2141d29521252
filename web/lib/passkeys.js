/** Whether this browser has passkeys for the address of this page. `domain`: `sign_in.passkeys` of the site's presets. */
export const hasPasskeys = (domain) =>
  location.hostname === domain && Boolean(globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON);

/** Let the user make a passkey: return the answer for the API. Rejects with a PasskeyError. */
export async function makePasskey(options, signal) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return answerOf(navigator.credentials.create({ publicKey, signal }), signal);
}

/** Let the user choose a passkey and sign with it: return the answer for the API. Rejects with a PasskeyError. */
export async function usePasskey(options, signal) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return answerOf(navigator.credentials.get({ publicKey, signal }), signal);
}

/** What came of it at the browser. `code`: `cancelled`, also if it took too long, or `present`: the device has one. */
export class PasskeyError extends Error {
  constructor(code) {
    super(code);
    this.name = "PasskeyError";
    this.code = code;
  }
}

async function answerOf(asked, signal) {
  try {
    return (await asked).toJSON();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DOMException)) throw error;
    throw new PasskeyError(error.name === "InvalidStateError" ? "present" : "cancelled");
  }
}
