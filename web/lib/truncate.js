/** The beginning of a text for a line of its own: at most `most` characters, cut between words where that loses little. */
export function beginningOf(text, most = 60) {
  const line = text.trim().replace(/\s+/g, " ");
  const characters = [...line];
  if (characters.length <= most) return line;
  const cut = characters.slice(0, most - 1).join("");
  const space = cut.lastIndexOf(" ");
  const kept = space > cut.length / 2 ? cut.slice(0, space) : cut;
  return `${kept.replace(/[\s,;:.|-]+$/, "")}…`;
}
