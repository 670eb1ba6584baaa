// What the check of a file says of a wrong row, in the reader's language where the words are always the same.

import { said, t } from "./i18n.js";

const REASONS = {
  __proto__: null,
  "is missing": t("is missing"),
  "must be text": t("must be text"),
  "the priority must be low, normal, high or urgent": t("the priority must be low, normal, high or urgent"),
  "the message would expire before it may be sent": t("the message would expire before it may be sent"),
  'is not UTF-8 (Excel has "CSV UTF-8" for that)': t("is not UTF-8 (Excel has “CSV UTF-8” for that)"),
  "has a cell below a column without a name": t("has a cell below a column without a name"),
};

export const reasonWords = (reason) => REASONS[reason] ?? said(reason);
