/** The words that only a job's page has, which are loaded with it. */
export const words = {
  "publication.refused": "The operators did not publish it",
  "publication.removed": "It was removed from the gallery",
  "publication.reason": ({ reason }) => `Their reason: ${reason}`,
  "publication.appeal": "Appeal",
  "publication.appeal.hint": "Say once why it should be in the gallery. Their answer is final.",
  "publication.appeal.send": "Send appeal",
  "publication.appeal.waiting": "Your appeal waits for an answer:",
  "publication.appeal.refused": "Your appeal was refused:",
  "error.no_appeal": "There is nothing to appeal, or you have appealed before.",
};
