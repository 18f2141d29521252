/** The most jobs of a group. */
export const MOST_JOBS = 200;
/** More than 200 rows need, with a prompt and a negative prompt of full length each. */
export const MOST_CHARACTERS = 1_000_000;

const NUMBERS = new Set(["seed", "steps", "scale", "width", "height", "n", "strength", "upscale"]);
const WORDS = new Set(["prompt", "negative_prompt", "style", "quality", "type", "aspect"]);
const isColumn = (name) => NUMBERS.has(name) || WORDS.has(name) || name === "size";

/** What keeps a text from being requests: a code of the API, with the row (from 1) or the limit concerned. */
export class UnusableRows extends Error {
  constructor({ code, row = null, limit = null }) {
    super(code);
    this.code = code;
    this.row = row;
    this.limit = limit;
  }
}

/**
 * Return the requests of a text: a CSV whose first row names its columns, `prompt` among them, or one prompt a line.
 *
 * Reads no more rows than a group may have. Throws UnusableRows.
 */
export function requestsOf(text) {
  if (text.length > MOST_CHARACTERS) throw new UnusableRows({ code: "too_long", limit: MOST_CHARACTERS });
  const plain = text.replace(/^\uFEFF/, "");
  const [head = []] = cellsOf(plain, 1);
  const columns = head.map((name) => name.trim().toLowerCase());
  const isTable = columns.includes("prompt") && columns.every(isColumn);
  const rows = isTable ? cellsOf(plain, MOST_JOBS + 2).slice(1) : linesOf(plain, MOST_JOBS + 1);
  if (rows.length === 0) throw new UnusableRows({ code: "required" });
  if (rows.length > MOST_JOBS) throw new UnusableRows({ code: "too_many", limit: MOST_JOBS });
  return rows.map((row, index) => (isTable ? requestOf(columns, row, index + 1) : { prompt: row }));
}

/** Return the UnusableRows of a text that has too many rows or characters, or null: other faults may yet be corrected. */
export function tooMuchIn(text) {
  try {
    requestsOf(text);
  } catch (error) {
    if (!(error instanceof UnusableRows)) throw error;
    return error.limit === null ? null : error;
  }
  return null;
}

/** Return the body of a group with each style and seed of a prompt. Throws UnusableRows. */
export function matrixOf({ prompt, styles, seeds }) {
  const numbers = seeds.split(/[\s,;]+/).filter((word) => word !== "");
  if (prompt.trim() === "") throw new UnusableRows({ code: "required" });
  const variants = {};
  if (styles.length > 0) variants.style = styles;
  if (numbers.length > 0) variants.seed = numbers.map((word) => numberOf(word, null));
  const count = Math.max(1, styles.length) * Math.max(1, numbers.length);
  if (count > MOST_JOBS) throw new UnusableRows({ code: "too_many", limit: MOST_JOBS });
  return { request: { prompt: prompt.trim() }, variants };
}

function requestOf(columns, row, number) {
  const request = {};
  if (row.length > columns.length) throw new UnusableRows({ code: "invalid", row: number });
  for (const [index, name] of columns.entries()) {
    const value = (row[index] ?? "").trim();
    if (value === "") continue;
    if (name === "size") Object.assign(request, sizeOf(value, number));
    else request[name] = NUMBERS.has(name) ? numberOf(value, number) : value;
  }
  return request;
}

function sizeOf(value, row) {
  const found = /^(\d{1,5})\s*[x×*]\s*(\d{1,5})$/i.exec(value);
  if (!found) throw new UnusableRows({ code: "wrong_type", row });
  return { width: Number(found[1]), height: Number(found[2]) };
}

function numberOf(value, row) {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new UnusableRows({ code: "wrong_type", row });
  return number;
}

/** Return up to `most` lines that have words. */
function linesOf(text, most) {
  const lines = [];
  for (const [line] of text.matchAll(/[^\r\n]+/g)) {
    if (line.trim() !== "") lines.push(line.trim());
    if (lines.length === most) break;
  }
  return lines;
}

/** Return up to `most` rows of a CSV (RFC 4180: quoted cells may hold commas, line breaks and doubled quotes). */
function cellsOf(text, most) {
  const rows = [];
  let row = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|\r|$)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    if (row.some((cell) => cell.trim() !== "")) rows.push(row);
    row = [];
    if (rows.length === most) break;
  }
  return rows;
}
