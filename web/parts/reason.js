import { tOr } from "../lib/i18n.js";

/** Return why a job waits, restarts or failed: the site's text for the code, else the API's (in English). */
export const reasonInWords = ({ code, detail }) => tOr(`reason.${code}`, detail, { detail });
