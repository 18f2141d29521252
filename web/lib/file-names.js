/** Code points. With a number and an extension the name stays below the 255 bytes of common file systems. */
const LONGEST = 50;
/** Control and format characters, and those that Windows forbids in names. */
const FORBIDDEN = /[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*]+/gu;
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
const ENDINGS = { "image/jpeg": "jpg", "image/webp": "webp", "video/mp4": "mp4" };

/** Return a portable file name without extension for a prompt, or `spare` when nothing usable is left. */
export function nameFrom(prompt, spare) {
  const plain = prompt.normalize("NFC").replace(FORBIDDEN, " ").replace(/\s+/g, " ");
  const short = [...plain.trim()].slice(0, LONGEST).join("");
  // A leading dot hides a file; Windows drops a final dot or space.
  const name = short.replace(/^[.\s]+|[.\s]+$/g, "");
  return name === "" || RESERVED.test(name) ? spare : name;
}

/** Return the file extension for a MIME type; png by default. */
export const endingOf = (type) => ENDINGS[type] ?? "png";

/** Return a function that numbers repeated names. Case is ignored, as many file systems do. */
export function uniqueNames() {
  const taken = new Set();
  return (name, ending) => {
    let full = `${name}.${ending}`;
    for (let number = 2; taken.has(full.toLowerCase()); number += 1) full = `${name} (${number}).${ending}`;
    taken.add(full.toLowerCase());
    return full;
  };
}
