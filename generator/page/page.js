// The page: reads the form, shows what the calls answer.

import { health, paint, paintSheet, Refused, setSteps } from "./calls.js";

const at = (id) => document.getElementById(id);
const form = at("order");
const number = new Intl.NumberFormat("en-GB");
let stopping = null;
let addresses = [];

function show(node, visible) {
  node.hidden = !visible;
}

function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function chooseProtocol() {
  for (const name of ["img_generator", "glide"]) {
    const chosen = form.elements.protocol.value === name;
    show(at(name), chosen);
    at(name).disabled = !chosen;
  }
}

async function base64Of(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
  return address.slice(address.indexOf(",") + 1);
}

/** The parameters of img_generator; fields that are left empty keep the service's defaults. */
async function imgGeneratorOrder() {
  const { prompt, neg_prompt, desc, imgs, strength, seed } = form.elements;
  const order = { prompt: prompt.value, neg_prompt: neg_prompt.value, desc: desc.checked };
  for (const name of ["width", "height", "n", "steps", "scale", "ups"]) order[name] = Number(form.elements[name].value);
  if (seed.value !== "") order.seed = Number(seed.value);
  if (imgs.files.length > 0) {
    order.imgs = await Promise.all([...imgs.files].map(base64Of));
    order.strength = Number(strength.value);
  }
  return order;
}

function glideOrder() {
  const names = ["prompt", "size", "batch_size", "guidance_scale", "upsample_temp"];
  return Object.fromEntries(names.map((name) => [name, form.elements[name].value]));
}

function tell(status) {
  const [, position] = /^queue position: (\d+)$/.exec(status) ?? [];
  const [, percent] = /^processing: (\d+)%$/.exec(status) ?? [];
  const phase = position ? `Waiting: number ${position} in the queue` : "Painting";
  // Written only when it changes, since a screen reader reads it out each time; the bar shows the rest.
  if (at("status").textContent !== phase) at("status").textContent = phase;
  at("percent").textContent = percent ? `${percent}%` : "";
  if (percent) at("bar").value = Number(percent);
  else at("bar").removeAttribute("value");
}

function clear() {
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses = [];
  at("pictures").replaceChildren();
  at("told").textContent = "";
  show(at("problem"), false);
  show(at("empty"), false);
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

function hang(base64, name, alt, description) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  addresses.push(address);
  const words = description ? [element("span", { textContent: description })] : [];
  const save = element("a", { href: address, download: name, textContent: "Save" });
  const caption = element("figcaption", {}, ...words, save);
  at("pictures").append(element("li", {}, element("figure", {}, element("img", { src: address, alt }), caption)));
}

function explain(error) {
  const gone = error instanceof TypeError;
  at("problem").textContent = gone ? "The service cannot be reached." : sentence(error.message);
  show(at("problem"), true);
  const field = error instanceof Refused && error.parameter ? form.elements[error.parameter] : null;
  field?.setAttribute?.("aria-invalid", "true");
  field?.focus?.();
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

function seconds(began) {
  return `${((performance.now() - began) / 1000).toFixed(1)} s`;
}

async function paintPictures(signal) {
  const order = await imgGeneratorOrder();
  let began = performance.now();
  const { imgs, descs } = await paint(
    order,
    (status) => {
      if (status.startsWith("queue")) began = performance.now();
      tell(status);
    },
    signal,
  );
  for (const [k, img] of imgs.entries()) {
    hang(img, `picture-${k + 1}.png`, `Picture ${k + 1} of ${imgs.length}: ${order.prompt}`, descs[k]);
  }
  const alone = imgs.length === 0 ? descs.join(" ") : "";
  at("told").textContent = [alone, `Painted in ${seconds(began)}.`].filter(Boolean).join(" ");
}

async function paintOneSheet(signal) {
  const order = glideOrder();
  tell("processing");
  const began = performance.now();
  const sheet = await paintSheet(order, signal);
  hang(sheet.image, "sheet.png", `Sheet of ${order.batch_size}: ${order.prompt}`);
  at("told").textContent =
    `Painted in ${parseFloat(sheet.processing_time).toFixed(1)} s, answered after ${seconds(began)}. ` +
    `GPU memory: ${sheet.gpu_memory_allocated} in use, ${sheet.gpu_memory_reserved} reserved.`;
}

async function submit(event) {
  event.preventDefault();
  if (stopping !== null) return;
  stopping = new AbortController();
  clear();
  tell("processing");
  working(true);
  try {
    await (form.elements.protocol.value === "glide" ? paintOneSheet : paintPictures)(stopping.signal);
    at("told").scrollIntoView({ block: "nearest" });
    at("pictures").scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (stopping.signal.aborted) at("told").textContent = "Stopped.";
    else explain(error);
  } finally {
    stopping = null;
    working(false);
    introduce();
  }
}

function working(busy) {
  const held = busy && document.activeElement === at("paint");
  const stopped = !busy && document.activeElement === at("stop");
  show(at("making"), busy);
  show(at("stop"), busy);
  at("paint").disabled = busy;
  // A button that vanishes or goes dead would drop the keyboard to the top of the page.
  if (held) at("stop").focus();
  if (stopped) at("paint").focus();
}

async function changeSteps() {
  const fields = [at("base_steps"), at("up_steps")];
  if (!fields.every((field) => field.value !== "" && field.reportValidity())) return;
  try {
    const { base, up } = await setSteps(...fields.map((field) => field.value));
    at("networks").textContent =
      `Set. Parameters in use: base model ${number.format(base)}, up model ${number.format(up)}.`;
  } catch (error) {
    at("networks").textContent = error instanceof Refused ? sentence(error.message) : "The service cannot be reached.";
  }
}

/** Shows the model's own values in the fields that nobody has changed. */
function showValuesOf(model) {
  for (const name of ["width", "height", "steps", "scale"]) {
    const field = form.elements[name];
    if (field.value === field.defaultValue) field.value = model[name];
  }
}

async function introduce() {
  try {
    const { engine, model, loading, queue, processing } = await health();
    const name = [engine, model?.name].filter(Boolean).join(", ");
    at("service").textContent =
      `Engine: ${name}. ${processing} at work, ${queue} waiting.${loading ? ` The ${loading}.` : ""}`;
    if (model) showValuesOf(model);
    if (loading) setTimeout(introduce, 1000);
  } catch {
    at("service").textContent = "The service cannot be reached.";
  }
}

form.addEventListener("submit", submit);
form.addEventListener("change", chooseProtocol);
form.addEventListener("input", (event) => event.target.removeAttribute("aria-invalid"));
at("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
at("stop").addEventListener("click", () => stopping?.abort());
at("set_steps").addEventListener("click", changeSteps);
chooseProtocol();
introduce();
