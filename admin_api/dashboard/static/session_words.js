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
//: What keeps a sender from sending, as a sentence without its full stop.
const TROUBLES = {
  __proto__: null,
  disconnected: t("The sender is not connected to WhatsApp"),
  needs_qr: t("The sender must scan a QR code"),
  needs_passkey: t("The sender must confirm with its passkey"),
  banned: t("WhatsApp has blocked the sender, or logged it out"),
};
const ACCOUNT = {
  __proto__: null,
  quality: t("Rating of the number"),
  restriction: t("Restriction of the number"),
};

/** [words, tone] of a connection. */
export const sessionWords = (state) => SESSIONS[state] ?? [state, ""];

/** Why a sender cannot send, without a full stop; empty where it can, or nothing is said of it. */
export const sessionTrouble = (session) => TROUBLES[session?.state] ?? "";

/** [what it is about, tone] of a notice. */
export function noticeWords({ kind, state }) {
  if (kind === "session") return [t("Sender %(state)s", { state: sessionWords(state)[0] }), sessionWords(state)[1]];
  if (kind === "unreadable") return [t("A report that cannot be read"), "bad"];
  return [ACCOUNT[state] ?? t("Notice about the account: %(what)s", { what: state }), "wait"];
}
