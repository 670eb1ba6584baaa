// What somebody did, in a sentence.

import { h } from "./dom.js";
import { number, phone } from "./format.js";
import { t } from "./i18n.js";
import { messageLink, shortId } from "./words.js";

//: What it is called, and how it is told once it is done; `%(what)s` is the message.
const DEEDS = {
  __proto__: null,
  "POST /clear": [t("Clear"), t("Cleared messages")],
  "POST /pause": [t("Pause"), t("Paused sending")],
  "POST /resume": [t("Resume"), t("Resumed sending")],
  "POST /force-process": [t("Send the next now"), t("Sent the next message at once")],
  "POST /try-one": [t("Send exactly one"), t("Sent exactly one message")],
  "POST /send-test": [t("Send a test"), t("Sent a test")],
  "POST /simulate": [t("Simulate registrations"), t("Simulated registrations")],
  "POST /undo/{id}": [t("Undo"), t("Undid a clearing or deletion")],
  "POST /failed/redrive": [t("Bulk re-drive"), t("Re-drove dead letters")],
  "POST /failed/{id}/redrive": [t("Re-drive"), t("Re-drove %(what)s")],
  "POST /failed/{id}/note": [t("Note"), t("Wrote a note about %(what)s")],
  "DELETE /failed": [t("Delete dead letters"), t("Deleted dead letters")],
  "POST /jobs/{id}/cancel": [t("Stop a re-drive"), t("Stopped a re-drive")],
  "POST /messages/{id}/uncancel": [t("Undo a cancellation"), t("Undid the cancellation of %(what)s")],
  "POST /messages": [t("Publish a message"), t("Published a message")],
  "POST /messages/batch": [t("Publish messages"), t("Published messages")],
  "POST /imports": [t("Check a file"), t("Checked a file")],
  "POST /imports/{id}/queue": [t("Import a file"), t("Imported a file")],
  "DELETE /imports/{id}": [t("Discard an import"), t("Discarded an import")],
  "POST /messages/{id}/cancel": [t("Cancel a message"), t("Cancelled %(what)s")],
  "GET /failed/export": [t("Export"), t("Exported dead letters")],
  "GET /messages/export": [t("Export"), t("Exported messages")],
  "POST /holds/release": [t("Release held messages"), t("Released held messages")],
  "POST /optouts": [t("Add an opt-out"), t("Added an opt-out")],
  "DELETE /optouts/{id}": [t("Remove an opt-out"), t("Removed an opt-out")],
  "POST /contacts/import": [t("Import known contacts"), t("Imported known contacts")],
  "POST /login": [t("Log in"), t("Logged in")],
  "POST /logout": [t("Log out"), t("Logged out")],
};

const VERDICTS = {
  __proto__: null,
  done: [t("done"), "good"],
  looked_at: [t("preview"), ""],
  denied: [t("denied"), "bad"],
  refused: [t("refused: invalid input"), "wait"],
  too_late: [t("too late, or not found"), "wait"],
  failed: [t("failed"), "bad"],
};

const GAP = "\u0000";
const plain = (action) => String(action ?? "").replace(/\{[^}]*\}/g, "{id}");

function about(message) {
  const name = phone(message.phone_number) || shortId(message.message_id);
  return messageLink(message.message_id, name);
}

/** What was done, or tried. */
export function deed({ details, message, verdict }) {
  const [name, done] = DEEDS[plain(details.action)] ?? [plain(details.action), plain(details.action)];
  if (verdict === "looked_at") return plain(details.action) === "POST /clear" ? t("Previewed a clearing") : t("Previewed a bulk re-drive");
  if (verdict !== "done") return message ? [name, ": ", about(message)] : name;
  const [before, after] = (message ? done.replaceAll("%(what)s", GAP) : done.replaceAll("%(what)s", t("a message"))).split(GAP);
  return after === undefined ? [before, message && [": ", about(message)]] : [before, about(message), after];
}

/** What came of it. */
export function outcome({ verdict, details }) {
  const [words, tone] = VERDICTS[verdict] ?? [verdict, ""];
  const tag = h("span", { class: "tag", "data-tone": tone, title: details.status ? `${details.action} · HTTP ${details.status}` : null }, words);
  const more = [details.why, details.more && t("and %(n)s more", { n: number(details.more) })].filter(Boolean);
  return more.length ? [tag, h("p", { class: "muted" }, more.join("; "))] : tag;
}
