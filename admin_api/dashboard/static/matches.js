// What a message was found by, where that is not to be seen.

import { t } from "./i18n.js";

const WORDS = { __proto__: null, id: t("by its ID"), key: t("by its key"), provider_id: t("by the provider’s ID") };

/** In a few words; nothing for what the row shows anyway. */
export function matchWords({ matched_by: kinds = [] }) {
  return kinds.filter((kind) => WORDS[kind]).map((kind) => WORDS[kind]).join(", ");
}
