/**
 * Builds a ZIP archive without compression, since pictures are already compressed.
 *
 * Layout: PKWARE's APPNOTE, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end). The files'
 * bytes are not copied: the archive is a Blob of Blobs, which the browser may keep on disk.
 */
export class Zip {
  #parts = [];
  #directory = [];
  #offset = 0;
  #directorySize = 0;

  /**
   * Add a file. `name` is its path in the archive, `modified` a Date, stored in local time as ZIP does.
   *
   * May be called concurrently; files are stored in the order in which their bytes were read. Rejects with a
   * ZipFullError if the archive would need ZIP64, and leaves it unchanged.
   */
  async add(name, blob, modified) {
    const entry = { name: new TextEncoder().encode(name), size: blob.size, modified, crc: await crcOf(blob) };
    const ends = this.#offset + LOCAL_SIZE + entry.name.length + entry.size;
    const all = ends + this.#directorySize + CENTRAL_SIZE + entry.name.length + END_SIZE;
    if (all > MOST_BYTES || this.#directory.length >= MOST_FILES) throw new ZipFullError();
    const central = centralHeader(entry, this.#offset);
    this.#parts.push(localHeader(entry), blob);
    this.#directory.push(central);
    this.#offset = ends;
    this.#directorySize += central.length;
  }

  /** Return the archive as a Blob. */
  finish() {
    const end = record(END_SIZE, END_MARK, [
      [8, 2, this.#directory.length],
      [10, 2, this.#directory.length],
      [12, 4, this.#directorySize],
      [16, 4, this.#offset],
    ]);
    return new Blob([...this.#parts, ...this.#directory, end], { type: "application/zip" });
  }
}

/** Raised for more than 4 GB or 65,535 files, the limits without ZIP64. */
export class ZipFullError extends Error {
  constructor() {
    super("a ZIP file without its 64-bit form holds no more");
    this.name = "ZipFullError";
  }
}

/** Return the CRC-32 of ZIP and PNG (polynomial 0xedb88320, reflected), continued from `crc`. */
export function crc32(bytes, crc = 0) {
  let rest = ~crc;
  for (let index = 0; index < bytes.length; index += 1) rest = (rest >>> 8) ^ TABLE[(rest ^ bytes[index]) & 0xff];
  return ~rest >>> 0;
}

const LOCAL_SIZE = 30;
const CENTRAL_SIZE = 46;
const END_SIZE = 22;
const LOCAL_MARK = 0x04034b50;
const CENTRAL_MARK = 0x02014b50;
const END_MARK = 0x06054b50;
const MOST_BYTES = 0xffffffff;
const MOST_FILES = 0xffff;
/** Version 2.0 of the format; 3 in the upper byte means Unix attributes. */
const VERSION = 20;
const MADE_BY_UNIX = 0x0300;
const NAME_IS_UTF8 = 0x0800;
const PLAIN_FILE = (0o100644 << 16) >>> 0;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

async function crcOf(blob) {
  let crc = 0;
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return crc;
    crc = crc32(value, crc);
  }
}

function localHeader({ name, ...entry }) {
  return record(LOCAL_SIZE, LOCAL_MARK, [[4, 2, VERSION], ...facts(entry, 6), [26, 2, name.length]], name);
}

function centralHeader({ name, ...entry }, offset) {
  const own = [
    [4, 2, MADE_BY_UNIX | VERSION],
    [6, 2, VERSION],
    [28, 2, name.length],
    [38, 4, PLAIN_FILE],
    [42, 4, offset],
  ];
  return record(CENTRAL_SIZE, CENTRAL_MARK, [...own, ...facts(entry, 8)], name);
}

/** Return the fields common to both headers, from flags to sizes; method 0 ("stored") is the default. */
function facts({ size, crc, modified }, start) {
  const { day, time } = dosTime(modified);
  return [
    [start, 2, NAME_IS_UTF8],
    [start + 4, 2, time],
    [start + 6, 2, day],
    [start + 8, 4, crc],
    [start + 12, 4, size],
    [start + 16, 4, size],
  ];
}

/** Return MS-DOS date and time: from 1980 on, in steps of two seconds. */
function dosTime(date) {
  const day = ((Math.max(date.getFullYear(), 1980) - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  return { day, time: (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1) };
}

/** Return a record with little-endian numbers, each `[offset, width, value]`, followed by a name. */
function record(size, mark, numbers, name = new Uint8Array()) {
  const bytes = new Uint8Array(size + name.length);
  const view = new DataView(bytes.buffer);
  for (const [offset, width, value] of [[0, 4, mark], ...numbers]) {
    if (width === 2) view.setUint16(offset, value, true);
    else view.setUint32(offset, value, true);
  }
  bytes.set(name, size);
  return bytes;
}
