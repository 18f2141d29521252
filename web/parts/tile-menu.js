import { element, fill } from "../lib/dom.js";

/**
 * Create a button that opens a tile's actions; `build()` creates them on opening.
 *
 * The popover is native: keyboard, Escape, a click elsewhere and the return of focus work by themselves. Returns
 * `{node, close, refresh}`; `refresh()` rebuilds open actions.
 */
export function tileMenu(id, label, build) {
  const panel = element("div", {
    class: "tile-menu",
    id: `menu-${id}`,
    popover: "auto",
    role: "group",
    "aria-label": label,
  });
  const button = element(
    "button",
    { type: "button", class: "tile-more", popovertarget: panel.id, "aria-label": label },
    element("span", { class: "dots", "aria-hidden": "true" }),
  );
  panel.addEventListener("beforetoggle", ({ newState }) => newState === "open" && fill(panel, build()));
  panel.addEventListener("toggle", ({ newState }) => {
    if (newState !== "open") return fill(panel);
    place(panel, button);
    enter();
  });
  const isOpen = () => panel.matches(":popover-open");
  const enter = () => panel.querySelector("button, a")?.focus({ preventScroll: true });
  panel.addEventListener("click", ({ target }) => target.closest("a") && panel.hidePopover());
  return {
    node: element("div", { class: "tile-tools" }, button, panel),
    close: () => isOpen() && panel.hidePopover(),
    refresh: () => {
      if (!isOpen()) return;
      const hadFocus = panel.contains(document.activeElement);
      fill(panel, build());
      if (hadFocus) enter();
    },
  };
}

/** Place the menu below the button, or above it at the window's end, right-aligned where there is room. */
function place(panel, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const { clientWidth, clientHeight } = document.documentElement;
  const below = at.bottom + height < clientHeight || at.top < height;
  const left = Math.min(Math.max(at.right - width, 8), clientWidth - width - 8);
  panel.style.setProperty("--left", `${left + scrollX}px`);
  panel.style.setProperty("--top", `${(below ? at.bottom : at.top - height) + scrollY}px`);
}
