/** Return a text as one line of at most `max` characters, cut between words where little is lost, with an ellipsis. */
export function truncate(text, max = 60) {
  const line = text.trim().replace(/\s+/g, " ");
  const characters = [...line];
  if (characters.length <= max) return line;
  const cut = characters.slice(0, max - 1).join("");
  const space = cut.lastIndexOf(" ");
  const kept = space > cut.length / 2 ? cut.slice(0, space) : cut;
  return `${kept.replace(/[\s,;:.|-]+$/, "")}…`;
}
