// One message: what it is, what happened to it, and what can be done.

import { applyRole } from "../access.js";
import { get, prefix } from "../api.js";
import { $, h } from "../dom.js";
import { full, number, phone } from "../format.js";
import { t } from "../i18n.js";
import { lifeLine } from "../life.js";
import { actionsFor, noteForm } from "../message_actions.js";
import { className, messageLink, priorityTag, stateTag, when } from "../words.js";

const id = document.body.dataset.messageId;
const path = encodeURIComponent(id);
const AGAIN_EVERY = 3000;
const MOVING = new Set(["waiting", "sending", "retrying"]);
const missing = (error) => { if (error.status === 404) return null; throw error; };

/** What the history knows of the message, and its dead letter if there is one. */
async function fetchBoth() {
  const message = await get(`/messages/${path}`).catch(missing);
  const letter = !message || message.state === "dead" ? await get(`/failed/${path}`).catch(missing) : null;
  return { message, letter };
}

function facts(one, letter) {
  const rows = [
    [t("Number"), phone(one.phone_number)],
    [t("Priority"), priorityTag(one.priority)],
    [t("Lane"), one.lane],
    [t("Source"), one.source],
    [t("Queued"), one.queued_at && when(one.queued_at)],
    [t("Sent"), one.sent_at && when(one.sent_at)],
    [t("Given up"), letter?.died_at && when(letter.died_at)],
    [t("Next attempt"), one.due_at && when(one.due_at)],
    [t("Expires"), one.expires_at && full(one.expires_at)],
    [t("Attempts"), number(letter?.attempts ?? one.attempt ?? 0)],
    [t("Provider’s id"), one.provider_id],
    [t("Key"), one.idempotency_key],
    [t("Edited copy"), one.copied_to && messageLink(one.copied_to)],
    [t("Copy of"), one.copy_of && messageLink(one.copy_of)],
    [t("Metadata"), one.metadata && Object.keys(one.metadata).length > 0 && h("pre", {}, JSON.stringify(one.metadata, null, 1))],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function trouble(one, letter) {
  const failed = letter ?? (one.failure_class && one.state !== "sent" ? one : null);
  if (!failed) return null;
  return h("div", { class: "trouble" }, h("b", {}, letter?.problem || `${className(failed.failure_class)} · ${failed.code}`), failed.detail && h("span", {}, failed.detail));
}

function bubble(one) {
  const text = one.message ?? one.text;
  return text ? h("p", { class: "bubble" }, text) : h("p", { class: "bubble secret" }, t("The text is not shown to your role."));
}

function draw({ message, letter }) {
  const one = message ?? { ...letter, state: "dead" };
  document.title = `${phone(one.phone_number) || id} · Antrian`;
  const crumb = letter ? h("a", { href: `${prefix}/desk` }, "← ", t("Dead letters")) : h("a", { href: `${prefix}/search` }, "← ", t("Search"));
  $("#message").replaceChildren(
    h("header", { class: "message-head" }, h("p", { class: "crumbs" }, crumb),
      h("div", { class: "message-title" }, h("h1", {}, phone(one.phone_number) || t("Unreadable message")), stateTag(one.state)),
      h("p", { class: "message-id mono" }, id)),
    trouble(one, letter) ?? "", bubble(one), actionsFor({ one, letter, changed: again }) ?? "",
    h("div", { class: "message-columns" },
      h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, t("Life line"))), lifeLine(message?.life ?? letter?.life ?? [])),
      h("div", { class: "stack" }, h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, t("Facts"))), facts(one, letter)), letter && noteForm(letter, again))));
  $("#message").setAttribute("aria-busy", "false");
  applyRole($("#message"));
}

function absent(error) {
  $("#message").replaceChildren(h("div", { class: "empty" }, h("h1", {}, error ? t("This did not work") : t("No such message")), h("p", {}, error?.message ?? t("The address is wrong, or the message is older than what the journal keeps."))));
  $("#message").setAttribute("aria-busy", "false");
}

let shown = "";
async function load() {
  try {
    const both = await fetchBoth();
    if (!both.message && !both.letter) return absent();
    const key = JSON.stringify(both);
    // Drawn anew only when something changed: focus and a half-written note stay.
    if (key !== shown) draw(both);
    shown = key;
    if (both.message && MOVING.has(both.message.state)) setTimeout(load, AGAIN_EVERY);
  } catch (error) {
    if (!shown) absent(error);
  }
  return undefined;
}

/** The history hears of what was done a moment later. */
function again() {
  for (const lag of [0, 1000, 3000]) setTimeout(load, lag);
}

export const ready = load();
