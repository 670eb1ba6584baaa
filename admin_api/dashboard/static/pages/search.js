// Search in the history.

import { $, empty, h, say, table } from "../dom.js";
import { Filters } from "../filters.js";
import { number, phone } from "../format.js";
import { t, tn } from "../i18n.js";
import { Pager } from "../pager.js";
import { messageLink, priorityTag, stateTag, states, when } from "../words.js";

const NAMES = ["phone_number", "key", "text", "state", "source", "lane", "since", "until"];

$("#filters [name=state]").append(...Object.entries(states).map(([name, [words]]) => h("option", { value: name }, words)));
const pager = new Pager({ path: "/messages", button: $("#more"), draw });
const filters = new Filters($("#filters"), NAMES, load);

const columns = [
  { label: t("Number"), class: "nowrap", cell: (message) => messageLink(message.message_id, phone(message.phone_number) || t("unreadable")) },
  { label: t("Status"), cell: (message) => stateTag(message.state) },
  { label: t("Text"), class: "wide", cell: (message) => (message.message ?? message.text) && h("span", { class: "clip" }, message.message ?? message.text) },
  { label: t("Priority"), cell: (message) => priorityTag(message.priority) },
  { label: t("Source"), cell: (message) => message.source },
  { label: t("Attempt"), class: "number", cell: (message) => number(message.attempt) },
  { label: t("Queued"), class: "nowrap", cell: (message) => when(message.queued_at) },
  { label: t("Changed"), class: "nowrap", cell: (message) => when(message.changed_at) },
];

function draw(messages, answer) {
  const shown = columns.filter((column) => column.label !== t("Text") || messages.some((message) => message.message ?? message.text));
  say($("#found"), answer.next_cursor ? t("More than %(n)s messages found", { n: number(messages.length) }) : tn("%(count)s message found", "%(count)s messages found", messages.length));
  $("#results").replaceChildren(messages.length ? table(t("Messages"), shown, messages)
    : Object.keys(filters.filter).length ? empty(t("Nothing found"), t("Take a part of the filter away, or look at the number again."))
      : empty(t("No messages yet"), t("What a service publishes appears here at once.")));
}

function load(filter) {
  return pager.show(filter);
}

export const ready = load(filters.filter);
