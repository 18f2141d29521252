import { endOtherSessions, endSessionOf, listSessions } from "../lib/api.js";
import { element, fill } from "../lib/dom.js";
import { errorText, isAborted } from "../lib/error-text.js";
import { t } from "../lib/i18n.js";
import { dayOf } from "../lib/time.js";
import { accountPart } from "./account-part.js";
import { announce } from "./announcer.js";
import { pages } from "./pages.js";

const PAGE = 20;

/** Create the list of the user's sessions, each of which can be ended, or all but this one. */
export function sessionList(signal) {
  const title = t("sessions.title");
  const list = element("ul", { class: "tokens", "aria-label": title });
  const error = element("p", { class: "form-error", role: "alert" });
  const more = pages({
    list,
    load: async (cursor) => {
      const { sessions: items, next } = await listSessions({ cursor, limit: PAGE }, { signal });
      return { items, next };
    },
    show: (sessions) => list.append(...sessions.map((session) => row(session, signal))),
    signal,
  });
  const others = element("button", { type: "button", class: "button", on: { click: endOthers } }, t("sessions.others"));
  async function endOthers() {
    others.disabled = true;
    fill(error);
    try {
      await endOtherSessions({ signal });
      fill(list);
      await more.start();
      announce(t("sessions.ended.others"));
    } catch (failed) {
      if (!isAborted(failed, signal)) fill(error, errorText(failed));
    } finally {
      others.disabled = false;
    }
  }
  more.start();
  return accountPart(title, list, more.node, error, element("div", { class: "actions" }, others));
}

function row(session, signal) {
  const device = session.device ?? t("sessions.unknown");
  const used = session.current ? t("sessions.current") : t("sessions.used", { when: dayOf(session.last_used_at) });
  const attributes = { type: "button", class: "button is-quiet", "aria-label": t("sessions.end.label", { device }) };
  const button = element("button", { ...attributes, on: { click: end } }, t("sessions.end"));
  const error = element("p", { class: "form-error", role: "alert" });
  // This session is ended by the button of the profile, which also leaves the page.
  const node = element(
    "li",
    {},
    element("span", { class: "token-name" }, device),
    element("span", { class: "hint" }, used),
    !session.current && button,
    error,
  );
  async function end() {
    button.disabled = true;
    try {
      await endSessionOf(session.id, { signal });
    } catch (failed) {
      if (isAborted(failed, signal)) return;
      if (failed.status !== 404) {
        button.disabled = false;
        return fill(error, errorText(failed)); // else it has ended in another tab
      }
    }
    node.remove();
    announce(t("sessions.ended"));
  }
  return node;
}
