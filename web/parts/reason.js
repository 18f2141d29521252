import { tOr } from "../lib/i18n.js";

/** Why a job waits, begins again or failed: the site's words for the code, else the API's own (in English). */
export const reasonInWords = ({ code, detail }) => tOr(`reason.${code}`, detail, { detail });
