import { addPush, getPushKey, removePush } from "./api.js";

const WORKER = "/service-worker.js";

let policy;

/** Return the worker's address as the security policy wants it: the one script that this policy lets through. */
function workerUrl() {
  policy ??= globalThis.trustedTypes?.createPolicy("easel-worker", { createScriptURL: () => WORKER });
  return policy?.createScriptURL("") ?? WORKER;
}

/** Return whether this browser can be notified while no page of the site is open. */
export const canBeNotified = () => "serviceWorker" in navigator && "PushManager" in window;

/** Let the push service notify this browser when a job has ended. Rejects where that is not possible. */
export async function subscribe() {
  await navigator.serviceWorker.register(workerUrl());
  const { pushManager } = await navigator.serviceWorker.ready;
  const { key } = await getPushKey();
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  const subscription = await pushManager.subscribe(wanted).catch(async (error) => {
    // The browser has subscribed with another key, such as that of an earlier database of this site.
    const old = await pushManager.getSubscription();
    if (old === null) throw error;
    await old.unsubscribe();
    return pushManager.subscribe(wanted);
  });
  const { endpoint, keys } = subscription.toJSON();
  await addPush({ endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } });
}

/** Stop notifying this browser. */
export async function unsubscribe() {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = await registration?.pushManager.getSubscription();
  if (!subscription) return;
  await removePush({ endpoint: subscription.endpoint });
  await subscription.unsubscribe();
}
