/**
 * Shows the messages of push services, and opens the page of the job that was clicked. It caches nothing and answers no
 * requests.
 *
 * A message is `{title, url, tag, lang}`, as shared/notify/pushes.py writes it.
 */
self.addEventListener("push", (event) => {
  const said = read(event.data);
  if (said === null) return;
  const { title, url, tag, lang } = said;
  event.waitUntil(self.registration.showNotification(title, { tag, lang, icon: "/icons/192.png", data: { url } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(new URL(event.notification.data.url, self.location.origin)));
});

function read(data) {
  try {
    return data.json();
  } catch {
    return null;
  }
}

/** Show the page in the window that has it, or in a new one. Only pages of this site are opened. */
async function open(url) {
  if (url.origin !== self.location.origin) return;
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = windows.find((client) => new URL(client.url).pathname === url.pathname);
  await (there ? there.focus() : self.clients.openWindow(url));
}
