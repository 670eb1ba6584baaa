// Everything that waits in a lane, and the way to take a part of it out.

import { applyRole, may } from "../access.js";
import { onPress } from "../action.js";
import { get, Problem } from "../api.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { Filters } from "../filters.js";
import { ago, duration, number, phone } from "../format.js";
import { t, tn } from "../i18n.js";
import { onChange } from "../news.js";
import { Pager } from "../pager.js";
import { complain } from "../toast.js";
import { wireClearing } from "../waiting_selection.js";
import { messageLink, messageState, priorityTag, priorityWord, states, when } from "../words.js";

const PENDING = ["waiting", "held", "retrying", "scheduled"];
const NAMES = ["lane", "source", "state", "priority", "phone_number", "key_prefix", "text"];
/** Rows that one answer of the API may have. */
const MOST = 500;
const SOURCES_SHOWN = 8;

/** What is on the page, by id: {line, message, gone}. */
const rows = new Map();
let etas = new Map();

const { selection, clearMatching } = wireClearing({ filter: () => filters.filter, changed: () => load(filters.filter) });
const pager = new Pager({ path: "/messages", button: $("#more"), draw });
$("#filters [name=state]").append(...PENDING.map((name) => h("option", { value: name }, states[name][0])));
$("#filters [name=priority]").append(...["urgent", "high", "normal", "low"].map((name) => h("option", { value: name }, priorityWord(name))));
const filters = new Filters($("#filters"), NAMES, load);

const asked = (filter) => ({ ...filter, state: filter.state ? [filter.state] : PENDING });
const overdue = (message) => message.due_at !== null && message.due_at * 1000 < Date.now();

const COLUMNS = [
  { label: "", class: "pick", cell: (message) => selection.box(message) },
  { label: t("Number"), class: "nowrap", cell: (message) => messageLink(message.message_id, phone(message.phone_number) || t("unreadable")) },
  { label: t("Status"), class: "live-state", cell: (message) => messageState(message, message.cancelling) },
  { label: t("Text"), class: "wide", cell: (message) => message.message && h("span", { class: "clip" }, message.message) },
  { label: t("Priority"), class: "live-priority", cell: (message) => priorityTag(message.priority) },
  { label: t("Source"), class: "live-source", cell: (message) => message.source },
  { label: t("Attempts"), class: "number live-attempt", cell: (message) => number(message.attempt) },
  { label: t("Queued"), class: "nowrap queued", cell: (message) => when(message.queued_at) },
  { label: t("Due"), class: "nowrap live-due", cell: due },
];

const unknown = () => h("span", { class: "unknown" }, "–");

/** When it is sent, as far as anybody can tell: a time of its own, or what the lane's next ten are told. */
function due(message) {
  if (message.due_at !== null && !overdue(message)) return h("span", { title: ago(message.due_at) }, when(message.due_at));
  const seconds = etas.get(message.message_id);
  return seconds === undefined || seconds === null ? unknown() : t("in about %(time)s", { time: duration(seconds) });
}

function draw(messages) {
  rows.clear();
  $("#newer").hidden = true;
  selection.offer(messages);
  const head = h("input", { type: "checkbox", "aria-label": t("Select all on this page"), onchange: (event) => selection.pickAll(event.target.checked) });
  const columns = COLUMNS.map((column) => (column.class === "pick" ? { ...column, head } : column))
    .filter((column) => (column.class !== "pick" || may("admin")) && (column.label !== t("Text") || messages.some((message) => message.message)));
  const keep = (line, message) => {
    rows.set(message.message_id, { line, message });
    selection.mark(line, message);
  };
  $("#waiting").replaceChildren(messages.length ? table(t("Waiting messages"), columns, messages, keep) : nothing());
}

const nothing = () => (isNarrowed() ? empty(t("No waiting messages match"), t("Remove a filter."))
  : empty(t("Nothing waits"), t("New messages appear here until they are sent.")));
const isNarrowed = () => Object.keys(filters.filter).some((name) => name !== "lane");

/** Change what is shown in its place: rows keep theirs, those that are gone turn grey, new ones are offered. */
function refreshRows(items, isComplete) {
  const now = new Map(items.map((message) => [message.message_id, message]));
  const oldest = isComplete ? -Infinity : items.at(-1)?.queued_at ?? Infinity;
  for (const [id, row] of rows) {
    const message = now.get(id);
    if (message) refreshRow(row, message);
    else if ((row.message.queued_at ?? 0) > oldest || isComplete) leave(id, row);
  }
  const more = items.filter((message) => !rows.has(message.message_id)).length;
  const newer = $("#newer");
  newer.hidden = !more;
  say(newer, tn("Show %(count)s more", "Show %(count)s more", more));
}

function refreshRow(row, message) {
  const { line } = row;
  const changes = { ".live-state": message.state !== row.message.state || message.hold?.reason !== row.message.hold?.reason || message.cancelling !== row.message.cancelling, ".live-attempt": message.attempt !== row.message.attempt, ".live-due": true };
  Object.assign(row, { message, gone: false });
  line.removeAttribute("data-gone");
  for (const [name, changed] of Object.entries(changes)) {
    const cell = changed && $(name, line);
    const content = cell && COLUMNS.find((column) => column.class?.endsWith(name.slice(1))).cell(message);
    if (cell && cell.textContent !== (content.textContent ?? content)) cell.replaceChildren(content);
  }
}

function leave(id, row) {
  if (row.gone) return;
  row.gone = true;
  row.line.setAttribute("data-gone", "");
  $(".live-state", row.line).replaceChildren(h("span", { class: "tag" }, t("no longer waiting")));
  $(".live-due", row.line).replaceChildren(unknown());
  selection.drop(id);
}

function drawCounts({ total, matching, sources }) {
  say($("#waiting-summary"), total ? tn("%(count)s message is in the queue, is held, waits for another attempt, or is scheduled.", "%(count)s messages are in the queue, are held, wait for another attempt, or are scheduled.", total) : t("Everything that is in the queue, is held, waits for another attempt, or is scheduled."));
  selection.match(matching);
  say($("#matching"), isNarrowed() ? tn("%(count)s message matches", "%(count)s messages match", matching) : total ? tn("%(count)s message", "%(count)s messages", total) : "");
  $("#clear-matching").hidden = !isNarrowed() || !matching;
  drawSources(sources);
  const select = $("#filters [name=source]");
  const known = new Map([...select.options].map((option) => [option.value, option]));
  for (const { source, count } of sources.filter((one) => one.source)) {
    const words = `${source} (${number(count)})`;
    if (known.has(source)) say(known.get(source), words);
    else select.append(h("option", { value: source }, words));
  }
}

/** One button for each source; their order stays while the page is open, so that none moves under the pointer. */
function drawSources(sources) {
  const box = $("#sources");
  const chosen = filters.filter.source ?? "";
  const counts = new Map(sources.map(({ source, count }) => [source, count]));
  const shown = $$("[data-source]", box);
  for (const button of shown) {
    say($("b", button), number(counts.get(button.dataset.source) ?? 0));
    counts.delete(button.dataset.source);
  }
  const room = Math.max(0, SOURCES_SHOWN - shown.length);
  box.append(...[...counts].slice(0, room).map(([source, count]) => sourceButton(source, count)));
  for (const button of $$("button", box)) button.setAttribute("aria-pressed", String(button.dataset.source === chosen && Boolean(chosen)));
  $("#sources-title").closest("section").hidden = !box.children.length;
}

function sourceButton(source, count) {
  const press = () => filters.set({ source: filters.filter.source === source ? "" : source });
  const words = [h("span", {}, source || t("unreadable")), " ", h("b", {}, number(count))];
  return source ? h("button", { type: "button", class: "source", "data-source": source, onclick: press }, words) : h("span", { class: "source", "data-source": source }, words);
}

async function readCounts() {
  drawCounts(await get("/waiting/counts", asked(filters.filter)));
}

async function readLane() {
  const { next_messages, lanes } = await get("/status", { lane: filters.filter.lane });
  etas = new Map(next_messages.map((message) => [message.message_id, message.eta_seconds]));
  const select = $("#filters [name=lane]");
  if (select.options.length < lanes.length) select.replaceChildren(...lanes.map((lane) => h("option", { value: lane, selected: lane === filters.filter.lane }, lane)));
  $("#lane-field").hidden = lanes.length < 2;
}

async function load(filter) {
  selection.forget();
  const chips = filters.chips((name, value) => (name === "state" ? states[value]?.[0] ?? value : name === "priority" ? priorityWord(value) : value));
  $("#applied").hidden = !chips.length;
  $("#applied").replaceChildren(...chips);
  // Without a broker there are no forecasts, and the list is there all the same.
  await readLane().catch(() => {});
  await Promise.all([pager.show(asked(filter)), readCounts().catch(complain)]);
}

/** After news: numbers and rows change where they are; what is picked stays picked. */
async function refresh() {
  const filter = filters.filter;
  try {
    await readLane().catch(() => {});
    const limit = Math.min(MOST, Math.max(50, rows.size));
    const [answer] = await Promise.all([get("/messages", { ...asked(filter), limit }), readCounts()]);
    if (JSON.stringify(filter) !== JSON.stringify(filters.filter)) return;
    if (rows.size) refreshRows(answer.items, !answer.next_cursor);
    else if (answer.items.length) await pager.show(asked(filter));
  } catch (error) {
    // The next news asks again; the header says whether the server is there.
    if (!(error instanceof Problem)) throw error;
  }
}

$("#newer").addEventListener("click", () => load(filters.filter));
onPress($("#clear-matching"), clearMatching);
$("#not-allowed").hidden = may("admin");
applyRole($("#selection"));
onChange(refresh);
export const ready = load(filters.filter);
