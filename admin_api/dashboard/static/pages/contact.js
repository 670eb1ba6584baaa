// One recipient: how well each sender knows them, what they opted out of, and their messages.

import { applyRole } from "../access.js";
import { onPress } from "../action.js";
import { address, get } from "../api.js";
import { $, empty, h, say, table } from "../dom.js";
import { phone } from "../format.js";
import { t } from "../i18n.js";
import { onChange, onReturn } from "../news.js";
import { list, openAdd } from "../optouts.js";
import { messageLink, messageState, priorityTag, when } from "../words.js";

const MOST = 20;
const AFTER_NEWS = 2000;
const asked = document.body.dataset.number;

const STANDINGS = {
  __proto__: null,
  cold: [t("new contact"), "wait", t("Never wrote to this number, and never got a message from it. Counts against the limit for new contacts.")],
  contacted: [t("written to before"), "good", t("Got a message from this number before.")],
  known: [t("known"), "good", t("Wrote to this number, received or read what it sent, or was imported as known.")],
};

function standing(sender) {
  const [words, tone, why] = STANDINGS[sender.standing] ?? [sender.standing, "", ""];
  return [h("span", { class: "tag", "data-tone": tone }, words), why && h("p", { class: "muted" }, why)];
}

/** A sender's number, which stands last in its key; where it has none, its lane. */
function senderName({ sender, lane }) {
  const digits = /(?:^|:)\+?(\d{8,15})$/.exec(sender)?.[1];
  return digits ? phone(`+${digits}`) : lane ?? sender;
}

function senderCard(sender) {
  const facts = [
    [t("Since"), sender.since], [t("First message"), sender.first_sent_at], [t("Last message"), sender.last_sent_at], [t("Refused by WhatsApp"), sender.refused_at],
  ].filter(([, at]) => at);
  return h("li", { class: "sender" }, h("p", { class: "sender-name" }, h("b", {}, senderName(sender)), sender.lane && senderName(sender) !== sender.lane && h("span", { class: "muted" }, ` · ${sender.lane}`)),
    h("div", {}, standing(sender)), h("dl", { class: "facts" }, facts.map(([name, at]) => [h("dt", {}, name), h("dd", {}, when(at))])));
}

const identity = ({ bsuid, lid } = {}) => [bsuid && `BSUID ${bsuid}`, lid && `LID ${lid}`].filter(Boolean).join(" · ");

function draw(contact) {
  const name = phone(contact.phone_number) || asked;
  say($("#who"), name);
  document.title = `${name} · Antrian`;
  const ids = identity(contact.identities);
  say($("#known-as"), [contact.timezone && t("Time zone: %(zone)s", { zone: contact.timezone }), ids && t("Also known to WhatsApp as %(what)s", { what: ids })].filter(Boolean).join(" · "));
  $("#senders").replaceChildren(contact.senders.length ? h("ul", { class: "senders" }, contact.senders.map(senderCard)) : empty(t("A new contact for every number"), t("Never wrote to you, and never got a message from you.")));
  const rows = contact.opt_outs.map((row) => ({ ...row, phone_number: contact.phone_number }));
  $("#optouts").replaceChildren(rows.length ? list(rows, refresh) : empty(t("Opted out of nothing"), t("All messages to this person are sent.")));
}

const COLUMNS = [
  { label: t("Queued"), class: "nowrap", cell: (message) => messageLink(message.message_id, when(message.queued_at)) },
  { label: t("Status"), class: "state", cell: (message) => messageState(message, message.cancelling) },
  { label: t("Text"), class: "wide", cell: (message) => message.message && h("span", { class: "clip" }, message.message) },
  { label: t("Priority"), class: "aside", cell: (message) => priorityTag(message.priority) },
  { label: t("Source"), cell: (message) => message.source },
  { label: t("Changed"), class: "nowrap when", cell: (message) => when(message.changed_at) },
];

function drawMessages({ items }) {
  const shown = COLUMNS.filter((column) => column.label !== t("Text") || items.some((message) => message.message));
  $("#results").replaceChildren(items.length ? table(t("Messages to this person"), shown, items) : empty(t("No messages"), t("None in the history, which goes back some days.")));
}

async function refresh() {
  const contact = await get(`/contacts/${encodeURIComponent(asked)}`);
  draw(contact);
  drawMessages(await get("/messages", { phone_number: asked, limit: MOST }).catch(() => ({ items: [] })));
}

function failed(error) {
  say($("#who"), phone(asked));
  $("#senders").replaceChildren(empty(t("Not known"), error.message));
  $("#optouts").replaceChildren(empty(t("Not known"), t("It is shown as soon as the connection is back.")));
}

$("#all").setAttribute("href", address("/search", { q: asked }));
onPress($("#add"), () => openAdd(refresh, asked));
applyRole();
onChange(() => refresh().catch(() => {}), { after: AFTER_NEWS });
onReturn(() => refresh().catch(failed));
export const ready = refresh().catch(failed);
