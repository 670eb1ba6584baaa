// Search in the history: one field for everything, and what narrows it down.

import { may } from "../access.js";
import { address, get } from "../api.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { Filters } from "../filters.js";
import { number, phone } from "../format.js";
import { marked, markedBeginning, markedNumber, words } from "../highlight.js";
import { t, tn } from "../i18n.js";
import { matchWords } from "../matches.js";
import { onChange } from "../news.js";
import { Pager } from "../pager.js";
import { inPlace } from "../rows.js";
import { messageLink, messageState, priorityTag, searchStates, when } from "../words.js";

const NAMES = ["q", "phone_number", "key", "text", "state", "source", "lane", "since", "until"];
//: Names from before there was one field; bookmarks have them.
const OLD = ["phone_number", "key", "text"];
//: Messages that are fetched at once, and at most when the list is brought up to date.
const PAGE = 50;
const MOST = 500;

const box = $(".filter-box");
const wide = matchMedia("(min-width: 47.01rem)");
const unfold = () => { box.open = wide.matches || ["state", "source", "since", "until"].some((name) => filters.filter[name]); };

modernize();
$("#filters [name=state]").append(...Object.entries(searchStates).map(([name, [label]]) => h("option", { value: name }, label)));
const pager = new Pager({ path: "/messages", button: $("#more"), draw, limit: PAGE });
const filters = new Filters($("#filters"), NAMES, load);

/** An address from before: what was looked for in one of three fields stands in the one that there is. */
function modernize() {
  const known = new URLSearchParams(location.search);
  const old = OLD.filter((name) => known.get(name));
  if (old.length !== 1 || known.get("q")) return;
  known.set("q", known.get(old[0]));
  known.delete(old[0]);
  history.replaceState(null, "", `?${known}`);
}

const wanted = () => filters.filter.q ?? "";

function who(message) {
  const link = messageLink(message.message_id, markedNumber(phone(message.phone_number) || t("unreadable"), wanted()));
  const kinds = message.matched_by ?? [];
  const key = kinds.includes("key") && message.idempotency_key;
  const id = kinds.includes("id") && message.message_id;
  if (key) return [link, h("p", { class: "match" }, t("key"), " ", h("span", { class: "mono" }, markedBeginning(key, wanted())))];
  if (id) return [link, h("p", { class: "match mono" }, markedBeginning(id, wanted()))];
  return matchWords(message) ? [link, h("p", { class: "match" }, matchWords(message))] : link;
}

const columns = [
  { label: t("Number"), class: "nowrap", cell: who },
  { label: t("Status"), class: "state", cell: (message) => messageState(message, message.cancelling) },
  { label: t("Text"), class: "wide", cell: (message) => message.message && h("span", { class: "clip" }, marked(message.message, words(wanted()))) },
  { label: t("Priority"), class: "aside", cell: (message) => priorityTag(message.priority) },
  { label: t("Source"), cell: (message) => message.source },
  { label: t("Attempts"), class: "number aside", cell: (message) => number(message.attempt) },
  { label: t("Queued"), class: "nowrap aside", cell: (message) => when(message.queued_at) },
  { label: t("Changed"), class: "nowrap when", cell: (message) => when(message.changed_at) },
];

function draw(messages, answer) {
  const shown = columns.filter((column) => column.label !== t("Text") || messages.some((message) => message.message));
  if (answer.total !== null && answer.total !== undefined) {
    say($("#found"), answer.is_total_exact ? tn("%(count)s message, newest first", "%(count)s messages, newest first", answer.total)
      : t("More than %(n)s messages, newest first", { n: number(answer.total) }));
  }
  const nothing = Object.keys(filters.filter).length
    ? empty(t("Nothing found"), may("operator") ? t("Try fewer letters or digits, or remove a filter.") : t("Viewers find messages by the whole number, the whole key, the ID, the source or the status."))
    : empty(t("No messages yet"), t("New messages appear here at once."));
  inPlace(() => $("#results").replaceChildren(messages.length ? table(t("Messages"), shown, messages) : nothing));
}

const query = (filter) => ({ ...filter, count: true });

function load(filter) {
  const chips = filters.chips().filter((_, index) => !$("#filters").elements[Object.keys(filter)[index]]);
  $("#applied").hidden = !chips.length;
  $("#applied").replaceChildren(...chips);
  return pager.show(query(filter));
}

/** Bring what is shown up to date, as far as it is shown. */
async function refresh() {
  const { round, items = [] } = pager;
  const limit = Math.min(MOST, Math.max(PAGE, items.length));
  const answer = await get("/messages", { ...query(filters.filter), limit }).catch(() => null);
  if (!answer || round !== pager.round || items !== pager.items || items.length > limit) return;
  if (JSON.stringify(answer.items) === JSON.stringify(items)) return;
  Object.assign(pager, { items: answer.items, cursor: answer.next_cursor });
  pager.button.hidden = !answer.next_cursor;
  draw(answer.items, answer);
  offerSources().catch(() => {});
}

async function offerSources() {
  const { items } = await get("/sources");
  const select = $("#filters [name=source]");
  const known = new Set([...select.options].map((option) => option.value));
  select.append(...items.filter((name) => !known.has(name)).map((name) => h("option", { value: name }, name)));
}

for (const button of $$("[data-export]")) {
  button.addEventListener("click", () => may("admin") && location.assign(address("/messages/export", { ...filters.filter, format: button.dataset.export })));
}
for (const select of $$("#filters select")) select.addEventListener("change", () => $("#filters").requestSubmit());
wide.addEventListener("change", unfold);
unfold();
onChange(refresh);
export const ready = Promise.all([load(filters.filter), offerSources().catch(() => {})]);
