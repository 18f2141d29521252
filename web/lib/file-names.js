/** Code points of a name: with its number and ending it stays below the 255 bytes that file systems take. */
const LONGEST = 50;
/** Control and formatting characters, and those that Windows forbids in names. */
const FORBIDDEN = /[\p{C}\p{Zl}\p{Zp}<>:"/\\|?*]+/gu;
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;
const ENDINGS = { "image/jpeg": "jpg", "image/webp": "webp" };

/** A file's name, without its ending, that every system takes, made from a prompt; `spare` where nothing is left. */
export function nameFrom(prompt, spare) {
  const plain = prompt.normalize("NFC").replace(FORBIDDEN, " ").replace(/\s+/g, " ");
  const short = [...plain.trim()].slice(0, LONGEST).join("");
  // A leading dot hides a file, and Windows drops a dot or space at the end.
  const name = short.replace(/^[.\s]+|[.\s]+$/g, "");
  return name === "" || RESERVED.test(name) ? spare : name;
}

/** The ending of a picture's file. Easel's pictures are PNG files where nothing else is said. */
export const endingOf = (type) => ENDINGS[type] ?? "png";

/** A function that numbers names which were given before, whatever their case: many file systems do not see it. */
export function uniqueNames() {
  const taken = new Set();
  return (name, ending) => {
    let full = `${name}.${ending}`;
    for (let number = 2; taken.has(full.toLowerCase()); number += 1) full = `${name} (${number}).${ending}`;
    taken.add(full.toLowerCase());
    return full;
  };
}
