/** How wide each picture of a job will be for its height, known from its settings before there is a picture. */
export function ratioOf({ width, height } = {}) {
  return width > 0 && height > 0 ? width / height : 1;
}

/** The range and default that the API gives for a field: `{minimum, maximum, default, ...}`, `{}` when it names none. */
export function fieldOf(presets, name) {
  return presets.fields.find((field) => field.name === name) ?? {};
}

/** Whether this site can make a choice or a field of the presets; what the API says nothing about it can. */
export const isOffered = ({ offered }) => offered !== false;

/** Whether a field is worth showing: the API has it, some generator here follows it, and it has more than one value. */
export function isShown(presets, name) {
  const field = fieldOf(presets, name);
  return "name" in field && isOffered(field) && field.enum?.length !== 1;
}

/** The key of the drafted choice where it is offered, else that of the API's default, else of the first. */
export function pickChoice(choices, drafted, usual) {
  const offered = choices.filter(isOffered).map(({ key }) => key);
  return [drafted, usual].find((key) => offered.includes(key)) ?? offered[0] ?? null;
}
