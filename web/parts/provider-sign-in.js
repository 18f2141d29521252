import { element, fill } from "../lib/dom.js";
import { t, tOr } from "../lib/i18n.js";

const CODE = /^[a-z_]{1,40}$/;

/** The address that leads to the site's provider and back to a page; fresh: only a sign-in of just now counts. */
export function providerAddress(next, { fresh = false } = {}) {
  return `/v1/oidc/login?${new URLSearchParams({ next, ...(fresh && { fresh: "true" }) })}`;
}

/** Return the sentence for the code with which a sign-in at the provider came back, or null without one. */
export function providerError(code) {
  if (code === null) return null;
  return (CODE.test(code) && tOr(`error.${code}`, null)) || t("error.oidc_refused");
}

/** Create the button that leads to the provider: `{node, show(signIn)}`, with `sign_in` of the site's presets. */
export function providerSignIn(next) {
  const node = element("div", { class: "provider" });
  return { node, show };

  function show({ provider, local }) {
    if (provider === null) return;
    const link = { class: local ? "button" : "button is-main", href: providerAddress(next) };
    fill(
      node,
      local && element("p", { class: "hint" }, t("oidc.or")),
      element("a", link, t("oidc.button", { provider })),
    );
  }
}
