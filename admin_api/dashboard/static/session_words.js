// How a sender is connected to WhatsApp, and what its provider tells of it, in words.

import { t } from "./i18n.js";

const SESSIONS = {
  __proto__: null,
  connected: [t("connected"), "good"],
  disconnected: [t("disconnected"), "bad"],
  needs_qr: [t("waits for its QR code to be scanned"), "bad"],
  needs_passkey: [t("waits for its passkey"), "bad"],
  banned: [t("blocked or logged out by WhatsApp"), "bad"],
};
const ACCOUNT = {
  __proto__: null,
  quality: t("Rating of the number"),
  restriction: t("Restriction of the number"),
};

/** [words, tone] of a connection. */
export const sessionWords = (state) => SESSIONS[state] ?? [state, ""];

/** [what it is about, tone] of a notice. */
export function noticeWords({ kind, state }) {
  if (kind === "session") return [t("Sender %(state)s", { state: sessionWords(state)[0] }), sessionWords(state)[1]];
  if (kind === "unreadable") return [t("A report that cannot be read"), "bad"];
  return [ACCOUNT[state] ?? t("Notice about the account: %(what)s", { what: state }), "wait"];
}
