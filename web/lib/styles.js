import { element } from "./dom.js";

const asked = new Map();

/** Load sheets of `styles/`, each once. Resolves when they apply; rejects if one cannot be fetched. */
export const loadStyles = (names) => Promise.all(names.map(loadStyle));

function loadStyle(name) {
  if (!asked.has(name)) asked.set(name, fetchStyle(name));
  return asked.get(name);
}

function fetchStyle(name) {
  return new Promise((resolve, reject) => {
    const link = element("link", {
      rel: "stylesheet",
      href: `/styles/${name}.css`,
      on: { load: resolve, error: giveUp },
    });
    function giveUp() {
      asked.delete(name);
      link.remove();
      reject(new Error(`no style sheet ${name}`));
    }
    document.head.append(link);
  });
}
