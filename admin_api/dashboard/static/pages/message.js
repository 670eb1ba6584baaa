// One message: what it is, what happened to it, and what can be done.

import { applyRole } from "../access.js";
import { get, prefix } from "../api.js";
import { causeCode, causeDetail, causeTitle } from "../causes.js";
import { copyButton } from "../clipboard.js";
import { $, h, say } from "../dom.js";
import { full, number, phone } from "../format.js";
import { holdSentence, ruleLine } from "../hold_words.js";
import { t } from "../i18n.js";
import { lifeLine, verdict } from "../life.js";
import { actionsFor, noteForm } from "../message_actions.js";
import { onChange } from "../news.js";
import { remaining } from "../remaining.js";
import { contactHref, messageLink, messageState, priorityTag, when } from "../words.js";

const id = document.body.dataset.messageId;
const path = encodeURIComponent(id);
const AGAIN_EVERY = 3000;
//: Milliseconds between two looks for what was just done, and after which it is shown anyhow.
const LOOK_EVERY = 300;
const PATIENCE = 8000;
const MOVING = new Set(["waiting", "held", "sending", "retrying", "failed"]);
const FAILED = new Set(["failed", "dead", "retrying", "expired"]);
const ARRIVED = new Set(["delivered", "read"]);
const missing = (error) => { if (error.status === 404) return null; throw error; };

/** What was just done and the history does not tell yet: {what, key}. */
let pending = null;
const TAKEN_OUT = new Set(["redriven", "deleted"]);
let known = null;

/** What the history knows of the message, and its dead letter if there is one. */
async function fetchBoth() {
  const message = await get(`/messages/${path}`).catch(missing);
  if (message && message.state !== "dead") return { message, letter: null };
  // What was just taken out of the dead letters may be gone from their list before the message tells of it.
  if (message && TAKEN_OUT.has(pending?.what)) return { message, letter: known };
  known = await get(`/failed/${path}`).catch(missing);
  return { message, letter: known };
}

/** Whether it is to be cancelled. */
function isCancelling(message) {
  if (pending?.what === "cancelling") return true;
  if (!message || pending?.what === "uncancelled") return false;
  return message.cancelling;
}

function recipient(one) {
  const digits = (one.phone_number ?? "").replace(/^\+/, "");
  const known = /^\d+$/.test(digits);
  return h("span", { class: "fact-line" }, phone(one.phone_number),
    known && copyButton(one.phone_number, t("Copy the number")),
    known && h("a", { href: contactHref(one.phone_number) }, t("Contact")),
    known && h("a", { href: `https://wa.me/${digits}`, target: "_blank", rel: "noopener noreferrer" }, t("Open in WhatsApp")));
}

function facts(one, letter, summary) {
  const rows = [
    [t("Number"), one.phone_number && recipient(one)],
    [t("Priority"), priorityTag(one.priority)],
    [t("Lane"), one.lane !== "default" && one.lane],
    [t("Source"), one.source],
    [t("Purpose"), one.purpose],
    [t("Queued"), one.queued_at && when(one.queued_at)],
    [t("Handed over"), one.sent_at && [when(one.sent_at), one.provider && ` · ${one.provider}`]],
    [t("Delivered"), one.delivered_at && when(one.delivered_at)],
    [t("Read"), one.read_at && when(one.read_at)],
    [t("Not delivered"), one.undelivered_at && when(one.undelivered_at)],
    [t("Given up"), letter?.died_at && when(letter.died_at)],
    [one.state === "retrying" ? t("Next attempt") : t("Due"), one.due_at && when(one.due_at)],
    [t("Expires"), one.expires_at && full(one.expires_at)],
    [t("Attempts"), number(letter?.attempts ?? one.attempt ?? 0)],
    [t("Consumer"), summary.consumers.join(", ")],
    [t("Provider’s ID"), one.provider_id],
    [t("Key"), one.idempotency_key],
    [t("Correlation ID"), one.correlation_id],
    [t("Replaced by"), one.copied_to && messageLink(one.copied_to, t("its edited copy"))],
    [t("Copy of"), one.copy_of && messageLink(one.copy_of, t("the original"))],
    [t("Metadata"), one.metadata && Object.keys(one.metadata).length > 0 && h("pre", {}, JSON.stringify(one.metadata, null, 1))],
  ];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** The failure that the provider told after it took the message, until something follows of that. */
const undelivered = (one) => (one.state === "sent" && one.delivery === "failed" ? { failure_class: one.delivery_class, code: one.delivery_code, detail: one.delivery_detail } : null);

/** The failure that the message is stopped by; one that waits again is not. */
function trouble(one, letter) {
  const failed = letter ?? undelivered(one) ?? (one.failure_class && FAILED.has(one.state) ? one : null);
  if (!failed) return null;
  const said = causeDetail(letter?.problem || failed.detail);
  return h("div", { class: "trouble" }, h("b", {}, causeTitle(failed.failure_class, failed.code)), said && h("span", {}, said),
    letter && ARRIVED.has(one.delivery) && h("p", { class: "doubt-line" }, t("The provider said later that it arrived after all.")),
    letter?.may_have_arrived && h("p", { class: "doubt-line" }, t("The provider had this message; the person may get it twice.")),
    h("code", { class: "cause-code" }, causeCode(failed.failure_class, failed.code)));
}

function bubble(one) {
  const text = one.message ?? one.text;
  return text ? h("p", { class: "bubble" }, text) : h("p", { class: "bubble secret" }, t("The text is not shown to your role."));
}

/** Why it is not sent yet: one sentence with the end of the wait, and the rule behind it. */
function held(one, message) {
  if (!one.hold || isCancelling(message)) return null;
  const { until, rule } = one.hold;
  const sentence = holdSentence(one.hold);
  const words = ruleLine(rule) === sentence ? "" : ruleLine(rule);
  return h("section", { class: "hold-why", "aria-labelledby": "hold-title" },
    h("h2", { id: "hold-title" }, t("Why is it not sent yet?")),
    h("p", { class: "hold-sentence" }, sentence),
    h("p", { class: "hold-rule" }, until > Date.now() / 1000 && [remaining(until), words && " · "], words));
}

/** Everything as the API has it, for those who ask for it. */
function raw(both) {
  const pre = h("pre", { tabindex: 0 });
  const fill = (event) => { if (event.target.open) pre.textContent = JSON.stringify(both.message ?? both.letter, null, 2); };
  return h("details", { class: "raw", ontoggle: fill }, h("summary", {}, t("Raw data (JSON)")), pre);
}

function state(one, message) {
  return pending?.what === "redriven" ? h("span", { class: "tag", "data-tone": "good" }, t("being re-driven")) : messageState(one, isCancelling(message));
}

function draw(both) {
  const { message } = both;
  const letter = pending?.what === "redriven" || pending?.what === "deleted" ? null : both.letter;
  const one = message ?? { ...both.letter, state: "dead" };
  const { steps, summary } = message ?? both.letter;
  document.title = `${phone(one.phone_number) || id} · Antrian`;
  const crumb = both.letter ? h("a", { href: `${prefix}/desk` }, "← ", t("Dead letters")) : h("a", { href: `${prefix}/search` }, "← ", t("Search"));
  const open = $("#message .raw")?.open;
  const data = raw(both);
  $("#message").replaceChildren(
    h("header", { class: "message-head" }, h("p", { class: "crumbs" }, crumb),
      h("div", { class: "message-title" }, h("h1", {}, phone(one.phone_number) || t("Unreadable message")), state(one, message)),
      h("p", { class: "message-id" }, h("span", { class: "mono" }, id), " ", copyButton(id, t("Copy the message ID")))),
    letter || !both.letter ? trouble(one, letter) ?? "" : "", bubble(one), held(one, message) ?? "", actionsFor({ one: letter || !both.letter ? one : { ...one, state: "" }, letter, isCancelling: isCancelling(message), changed }) ?? "",
    h("div", { class: "message-columns" },
      h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, t("Timeline")), h("p", { class: "verdict" }, verdict(summary))), lifeLine(steps)),
      h("div", { class: "stack" }, h("section", { class: "card" }, h("header", { class: "card-head" }, h("h2", {}, t("Details"))), facts(one, letter, summary)), letter && noteForm(letter, changed), data)));
  if (open) data.open = true;
  $("#message").setAttribute("aria-busy", "false");
  applyRole($("#message"));
}

function absent(error) {
  $("#message").replaceChildren(h("div", { class: "empty" }, h("h1", {}, error ? t("This did not work") : t("No such message")), h("p", {}, error?.message ?? t("The address is wrong, or the message is older than the history."))));
  $("#message").setAttribute("aria-busy", "false");
}

/** What tells one picture of the message from the next: not the seconds that it has waited. */
const keyOf = ({ message, letter }) => JSON.stringify([message, letter], (name, value) => (name === "waited" ? undefined : value));

let shown = "";
let timer = 0;
async function load() {
  clearTimeout(timer);
  try {
    const both = await fetchBoth();
    if (!both.message && !both.letter) return absent();
    const key = keyOf(both);
    if (pending && pending.key !== key) pending = null;
    const now = `${pending?.what ?? ""}${key}`;
    // Drawn anew only when something changed: focus and a half-written note stay.
    if (now !== shown) draw(both);
    else say($(".verdict"), verdict((both.message ?? both.letter).summary));
    shown = now;
    const isBetween = both.message?.state === "dead" && !both.letter;
    if (pending || isBetween || MOVING.has(both.message?.state)) timer = setTimeout(load, pending || isBetween ? LOOK_EVERY : AGAIN_EVERY);
  } catch (error) {
    if (!shown) absent(error);
  }
  return undefined;
}

/** Show at once what was done; the history hears of it a moment later. */
async function changed(what) {
  const mine = { what, key: shown.replace(/^[a-z]*/, "") };
  pending = mine;
  setTimeout(() => { if (pending === mine) { pending = null; load(); } }, PATIENCE);
  await load();
}

onChange(load, { after: 500, matters: (event) => event.message_id === id });
export const ready = load();
