/** How wide each picture of a job will be for its height, known from its settings before there is a picture. */
export function ratioOf({ width, height } = {}) {
  return width > 0 && height > 0 ? width / height : 1;
}

/** The range and default that the API gives for a field: `{minimum, maximum, default, ...}`, `{}` when it names none. */
export function fieldOf(presets, name) {
  return presets.fields.find((field) => field.name === name) ?? {};
}

/** The submission's body: fields that are empty are left out, so that the API's own default holds. */
export function bodyOf(values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== "" && value !== null));
}
