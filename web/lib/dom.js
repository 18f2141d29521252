/**
 * Create an element. Text becomes text nodes, so user text is never parsed as markup.
 *
 * Attributes: null, undefined and false are skipped, true sets an empty value, `on` maps events to listeners and `vars`
 * sets custom properties (the security policy forbids style attributes). Children: nodes, strings and nested arrays;
 * null, undefined and false are skipped.
 */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  node.append(...keep(children));
  return node;
}

function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") {
    for (const [type, listener] of Object.entries(value)) node.addEventListener(type, listener);
  } else if (name === "vars") {
    for (const [property, amount] of Object.entries(value)) node.style.setProperty(`--${property}`, String(amount));
  } else if (name.startsWith("on")) {
    throw new TypeError(`${name} would be an inline handler`);
  } else {
    node.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Replace the children of a node. */
export function fill(node, ...children) {
  node.replaceChildren(...keep(children));
  return node;
}

function keep(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

let lastId = 0;

/** Return an id that no other element of the page has. */
export function uniqueId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}
