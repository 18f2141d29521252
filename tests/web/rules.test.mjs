import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { words as ofAccounts } from "../../web/text/account-en.js";
import { words as common } from "../../web/text/en.js";
import { words as ofJobs } from "../../web/text/job-en.js";

const words = { ...common, ...ofAccounts, ...ofJobs };
const WEB = fileURLToPath(new URL("../../web", import.meta.url));
// The API's docs under web/docs are a page of their own.
const files = readdirSync(WEB, { recursive: true })
  .map(String)
  .filter((file) => !file.startsWith("docs"));
const read = (file) => readFileSync(join(WEB, file), "utf8");
const scripts = files.filter((file) => file.endsWith(".js"));
const styles = files.filter((file) => file.endsWith(".css"));

test("only lib/api.js calls the API, and only lib/picture-storage.js the storage", () => {
  const speaking = scripts.filter((file) =>
    /\bfetch\(|XMLHttpRequest|sendBeacon|EventSource|WebSocket/.test(read(file)),
  );
  assert.deepEqual(speaking, [join("lib", "api.js"), join("lib", "picture-storage.js")]);
});

test("no text is parsed as markup or code", () => {
  const forbidden = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc/;
  for (const file of scripts) assert.doesNotMatch(read(file), forbidden, file);
});

test("nothing is inline or from another origin", () => {
  const page = read("index.html");
  assert.doesNotMatch(page, /<style|style=|\son\w+=|<script(?![^>]*src=)/);
  for (const [, address] of page.matchAll(/(?:src|href)="([^"]+)"/g)) assert.match(address, /^[/#](?!\/)/);
  for (const file of styles) assert.doesNotMatch(read(file), /@import|url\(/, file);
});

const linked = [...read("index.html").matchAll(/href="\/(styles\/[^"]+)"/g)].map(([, path]) => path);
/** The style sheets of a route of main.js. */
const sheetsOf = (line) =>
  [.../\[([^\]]*)\]/.exec(line)[1].matchAll(/"(\w+)"/g)].map(([, name]) => join("styles", `${name}.css`));
const routes = read("main.js").match(/^ {2}view\([\s\S]*?\),$/gm);

test("the page and its views list exactly the existing style sheets", () => {
  assert.ok(routes.length > 5);
  const named = new Set([...linked, ...routes.flatMap(sheetsOf)]);
  assert.deepEqual([...named].toSorted(), styles.toSorted());
});

test("raw colours are used only in meanings.css", () => {
  const names = [...read("styles/colours.css").matchAll(/(--[\w-]+):/g)].map(([, name]) => `var(${name})`);
  for (const file of styles.filter((file) => !/(colours|meanings)\.css$/.test(file))) {
    for (const name of names) assert.ok(!read(file).includes(name), `${file} uses ${name}`);
  }
});

test("every key used has a text, and every text is used", () => {
  const code = scripts
    .filter((file) => !file.startsWith("text"))
    .map(read)
    .join("\n");
  const patterns = [...code.matchAll(/["`]((?:[a-z_]+|\$\{[\w.]+\})(?:\.(?:[a-z_]+|\$\{[\w.]+\}))*)["`]/g)];
  const asked = patterns.map(
    ([, key]) => new RegExp(`^${key.replaceAll(".", "\\.").replace(/\$\{[^}]*\}/g, "[a-z0-9_]+")}$`),
  );
  const unused = Object.keys(words).filter((key) => !asked.some((pattern) => pattern.test(key)));
  assert.deepEqual(unused, []);
  const literal = [...code.matchAll(/\bt\("([^"]+)"/g)].map(([, key]) => key);
  assert.deepEqual(
    literal.filter((key) => !Object.hasOwn(words, key)),
    [],
  );
});

/** A module with everything that it imports at its beginning. */
function withImports(file, seen = new Set()) {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of read(file).matchAll(
    /^(?:import|export)\s[^;]*?from\s+"(\.[^"]+)";|^import\s+"(\.[^"]+)";/gm,
  )) {
    withImports(join(dirname(file), path), seen);
  }
  return seen;
}

test("the page preloads exactly the modules that main.js imports", () => {
  const named = [...read("index.html").matchAll(/rel="modulepreload" href="\/([^"]+)"/g)].map(([, path]) => path);
  const [, ...needed] = withImports("main.js");
  assert.deepEqual(named.toSorted(), needed.toSorted());
});

test("the first visit loads less than 150 kB of code and styles", () => {
  const modules = withImports("main.js");
  withImports(join("views", "gallery.js"), modules);
  assert.ok(modules.has(join("lib", "api.js")), "the imports are followed");
  const gallery = routes.find((line) => line.includes('view("/",'));
  const first = [...modules, ...linked, ...sheetsOf(gallery), "index.html", "favicon.svg"];
  for (const language of ["en", "ru"]) {
    const files = [...first, join("text", `${language}.js`)];
    const size = files.reduce((sum, file) => sum + Buffer.byteLength(read(file)), 0);
    assert.ok(size < 150_000, `${language}: ${size} bytes`);
  }
});
