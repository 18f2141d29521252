const SIZE = 32;
const RADIUS = 12;
const ROUND = 2 * Math.PI * RADIUS;

/** The sign for each final state: tick, cross, bar. The shapes differ, so colour is not needed. */
const SIGNS = {
  succeeded: "M9 16.500l5 5 9-11",
  failed: "M11 11l10 10M21 11L11 21",
  cancelled: "M9 16h14",
};

/**
 * Return the URL of an icon for a job's state: a ring that closes with the progress, then a disc with a sign.
 *
 * `colours` are CSS colours `{paper, line, accent, good, bad}`.
 */
export function progressIconUrl({ state, percent }, colours) {
  const parts = state in SIGNS ? disc(state, colours) : ring(percent ?? 0, colours);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE} ${SIZE}" fill="none">${parts}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

function ring(percent, { paper, line, accent }) {
  const painted = (ROUND * percent) / 100;
  return (
    `<circle cx="16" cy="16" r="15.500" fill="${paper}"/><circle cx="16" cy="16" r="${RADIUS}" stroke="${line}" stroke-width="6"/>` +
    `<circle cx="16" cy="16" r="${RADIUS}" stroke="${accent}" stroke-width="6" transform="rotate(-90 16 16)" ` +
    `stroke-dasharray="${painted.toFixed(1)} ${ROUND.toFixed(1)}"/>`
  );
}

function disc(state, { paper, accent, good, bad }) {
  const colour = { succeeded: good, failed: bad }[state] ?? accent;
  return `<circle cx="16" cy="16" r="15" fill="${colour}"/><path d="${SIGNS[state]}" stroke="${paper}" stroke-width="4" stroke-linecap="round"/>`;
}
