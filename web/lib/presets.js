/** Return the width of a job's pictures divided by their height, known from the settings in advance; 1 if unknown. */
export function ratioOf({ width, height } = {}) {
  return width > 0 && height > 0 ? width / height : 1;
}

/** Return the range and default of a field, `{minimum, maximum, default, ...}`; `{}` if the API does not list it. */
export function fieldOf(presets, name) {
  return presets.fields.find((field) => field.name === name) ?? {};
}

/** Whether this site offers a choice or a field; true if the API does not say. */
export const isOffered = ({ offered }) => offered !== false;

/** Whether to show a field: the API lists it, a generator supports it, and it has more than one value. */
export function isShown(presets, name) {
  const field = fieldOf(presets, name);
  return "name" in field && isOffered(field) && field.enum?.length !== 1;
}

/** Return the drafted choice if it is offered, else the API's default, else the first offered one. */
export function pickChoice(choices, drafted, usual) {
  const offered = choices.filter(isOffered).map(({ key }) => key);
  return [drafted, usual].find((key) => offered.includes(key)) ?? offered[0] ?? null;
}
