import { element } from "../lib/dom.js";
import { t } from "../lib/i18n.js";
import { MAX_SEARCH_LENGTH, STATES } from "../lib/job-filter.js";

/** The search runs after this pause in typing. */
const TYPED_MS = 300;

/**
 * Create the search field and the choice of a state.
 *
 * `onChange({state, q}, {isTyping})` gets the filter, after a pause when typing. Returns `{node, show}`.
 */
export function picturesFilter({ filter, onChange, signal }) {
  const search = element("input", {
    type: "search",
    id: "search",
    name: "q",
    maxlength: MAX_SEARCH_LENGTH,
    autocomplete: "off",
    placeholder: t("pictures.search.example"),
  });
  const states = STATES.map((state) => {
    const name = state ?? "all";
    const input = element("input", { type: "radio", name: "state", value: name });
    return {
      state,
      input,
      node: element("label", { class: "tab" }, input, element("span", {}, t(`pictures.state.${name}`))),
    };
  });
  const form = layOut(search, states);
  const chosen = () => states.find(({ input }) => input.checked)?.state ?? null;
  let last = filter;
  let typing;

  function report(isTyping) {
    clearTimeout(typing);
    const now = { state: chosen(), q: search.value.trim() || null };
    if (now.state === last.state && now.q === last.q) return;
    last = now;
    onChange(now, { isTyping });
  }
  function show({ state, q }) {
    last = { state, q };
    search.value = q ?? "";
    for (const each of states) each.input.checked = each.state === state;
  }
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => report(true), TYPED_MS);
  });
  form.addEventListener("change", (event) => report(event.target === search));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    report(true);
  });
  signal.addEventListener("abort", () => clearTimeout(typing), { once: true });
  show(filter);
  return { node: form, show };
}

function layOut(search, states) {
  return element(
    "form",
    { class: "pictures-filter", role: "search", "aria-label": t("pictures.filter") },
    element(
      "div",
      { class: "search" },
      element("label", { for: "search", class: "unseen" }, t("pictures.search")),
      search,
    ),
    element(
      "fieldset",
      { class: "tabs" },
      element("legend", { class: "unseen" }, t("pictures.states")),
      states.map(({ node }) => node),
    ),
  );
}
