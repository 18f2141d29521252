import { t } from "../lib/i18n.js";
import { field } from "./field.js";

/** Create the field for a code of the authenticator app, or a recovery code. */
export function codeField(hint = null) {
  return field({ name: "code", label: t("factor.code"), autocomplete: "one-time-code", maxlength: 40, hint });
}
