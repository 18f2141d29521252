export const SHOTS = ["CLS", "MES", "FUS"];
export const AGES = ["young", "adult", "old"];
export const GENDERS = ["man", "woman"];

/**
 * Return a draft as the form shows it: only what the catalogue has, with a choice made in each group but the gender.
 * A null `action` means that `action_prompt` chooses it.
 */
export function sceneValues(draft, { places, actions }) {
  const pick = (keys, drafted, usual = null) => (keys.includes(drafted) ? drafted : usual);
  const place = places.find(({ key }) => key === draft.place) ?? places[0];
  const keys = actions.map(({ key }) => key);
  return {
    place: place.key,
    place_picture: place.pictures[draft.place_picture] ? draft.place_picture : 0,
    action: draft.dynamic_action ? null : pick(keys, draft.action, keys[0]),
    action_prompt: draft.action_prompt ?? "",
    shot: pick(SHOTS, draft.shot, "MES"),
    age: pick(AGES, draft.age, "adult"),
    gender: pick(GENDERS, draft.gender),
    details: draft.details ?? "",
    likeness: draft.likeness ?? null,
  };
}

/** Return the body for `POST /v1/scenes`, without what is empty or has no effect. */
export function sceneBody({ action, action_prompt, ...values }) {
  const chosen = action === null ? { dynamic_action: true, action_prompt } : { action };
  const all = Object.entries({ ...values, ...chosen });
  return Object.fromEntries(all.filter(([, value]) => value !== null && value !== undefined && value !== ""));
}
