// The dead-letter desk.

import { applyRole, may } from "../access.js";
import { address, get } from "../api.js";
import { wireSelection } from "../desk_selection.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { Filters } from "../filters.js";
import { ago, duration, full, number, phone } from "../format.js";
import { t, tn } from "../i18n.js";
import { follow, jobCard } from "../jobs.js";
import { Pager } from "../pager.js";
import { complain } from "../toast.js";
import { classes, className, messageLink, priorityTag, when } from "../words.js";

const LAG = 2000;
const NAMES = ["failure_class", "code", "detail", "source", "lane", "phone_number", "text", "since", "until"];

const selection = wireSelection({ filter: () => filters.filter, started: showJob, changed: refresh });
const pager = new Pager({ path: "/failed", button: $("#more"), draw: drawLetters });
$("#filters [name=failure_class]").append(...Object.entries(classes).map(([name, words]) => h("option", { value: name }, words)));
const filters = new Filters($("#filters"), NAMES, load);

function drawLetters(letters, answer) {
  selection.offer(letters, answer.total);
  const all = h("input", { type: "checkbox", "aria-label": t("Select all on this page"), onchange: (event) => selection.pickAll(event.target.checked) });
  const columns = [
    { head: all, label: "", class: "pick", cell: (letter) => selection.box(letter) },
    { label: t("Number"), class: "nowrap", cell: (letter) => messageLink(letter.message_id, phone(letter.phone_number) || t("unreadable"), "desk") },
    { label: t("Cause"), class: "wide", cell: cause },
    { label: t("Text"), class: "wide", cell: (letter) => letter.message && h("span", { class: "clip" }, letter.message) },
    { label: t("Priority"), cell: (letter) => priorityTag(letter.priority) },
    { label: t("Source"), cell: (letter) => letter.source },
    { label: t("Attempts"), class: "number", cell: (letter) => number(letter.attempts) },
    { label: t("Given up"), class: "nowrap", cell: (letter) => when(letter.died_at) },
  ].filter((column) => column.label !== t("Text") || letters.some((letter) => letter.message));
  $("#letters").replaceChildren(letters.length ? table(t("Dead letters"), columns, letters, selection.mark) : nothing());
  applyRole($("#selection"));
}

const cause = (letter) => h("div", {}, h("span", {}, letter.problem || `${className(letter.failure_class)} · ${letter.code}`), letter.note && h("p", { class: "note-line" }, `✎ ${letter.note}`));

const nothing = () => (Object.keys(filters.filter).length
  ? empty(t("No letter fits the filter"), t("Take a part of it away."))
  : empty(t("No dead letters"), t("Everything that could be sent was sent.")));

function drawGroups({ groups, total, retention_alarm }) {
  say($("#desk-summary"), total ? tn("%(count)s message was given up. Nothing is lost: find the cause, then send them again.", "%(count)s messages were given up. Nothing is lost: find the cause, then send them again.", total) : t("Nothing to do here."));
  $("#groups").replaceChildren(...groups.map(groupCard));
  $("#causes-title").closest("section").hidden = !groups.length;
  alarm(retention_alarm);
}

function groupCard(group) {
  const { failure_class, code, detail } = group;
  const filter = filters.filter;
  const chosen = filter.failure_class === failure_class && filter.code === code && (filter.detail ?? "") === detail;
  const open = (event) => {
    if (event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    filters.set(chosen ? { failure_class: "", code: "", detail: "" } : { failure_class, code, detail });
  };
  return h("a", { class: "group", href: address("/desk", { failure_class, code, detail }), "aria-current": chosen ? "true" : null, onclick: open },
    h("span", { class: "group-count" }, number(group.count)),
    h("span", { class: "group-name" }, `${className(failure_class)} · ${code}`),
    h("span", { class: "group-detail" }, detail || t("No message from the provider")),
    h("span", { class: "group-when", title: `${full(group.oldest)} – ${full(group.newest)}` }, group.count > 1
      ? t("latest %(newest)s, first %(oldest)s", { newest: ago(group.newest), oldest: ago(group.oldest) }) : ago(group.newest)));
}

/** What grows older than the history remembers loses its story: say so before. */
function alarm(news) {
  const words = news && (news.seconds_left > 0
    ? tn("The history of %(count)s dead letter is forgotten soon: the oldest in %(time)s. Re-drive it, or export it first.", "The history of %(count)s dead letters is forgotten soon: the oldest in %(time)s. Re-drive them, or export them first.", news.count, { time: duration(news.seconds_left) })
    : t("The oldest dead letter is older than the history remembers. It is still in the broker; re-drive or export it."));
  $("#notices").replaceChildren(...(words ? [h("p", { class: news.seconds_left > 0 ? "notice" : "notice bad" }, words)] : []));
}

async function loadGroups() {
  const { failure_class, code, detail, ...rest } = filters.filter;
  try {
    drawGroups(await get("/failed", { ...rest, group: true }));
  } catch (error) {
    complain(error);
  }
}

async function load(filter) {
  selection.forget();
  const chips = filters.chips((name, value) => (name === "failure_class" ? className(value) : value));
  $("#applied").hidden = !chips.length;
  $("#applied").replaceChildren(...chips);
  await Promise.all([loadGroups(), pager.show(filter)]);
}

/** The history hears of what was done a moment later; what was picked meanwhile stays picked. */
function refresh() {
  load(filters.filter);
  setTimeout(() => { if ($("#selection").hidden) load(filters.filter); }, LAG);
}

async function showJob(job) {
  const box = $("#jobs");
  const place = h("div", {});
  box.hidden = false;
  box.prepend(place);
  const draw = (latest) => place.replaceChildren(jobCard(latest));
  draw(job);
  try {
    await follow(job.job_id, draw);
  } catch (error) {
    complain(error);
  }
  refresh();
}

for (const button of $$("[data-export]")) {
  button.addEventListener("click", () => may("admin") && location.assign(address("/failed/export", { ...filters.filter, format: button.dataset.export })));
}
export const ready = load(filters.filter);
get("/jobs").then(({ items }) => items.filter((job) => job.state === "running").forEach(showJob), () => {});
