// What people did: clearings with their undo, jobs, and for admins every action.

import { may, need } from "../access.js";
import { get } from "../api.js";
import { deed, outcome } from "../deeds.js";
import { $, empty, h, table } from "../dom.js";
import { clock, full } from "../format.js";
import { language, t, tn } from "../i18n.js";
import { jobCard } from "../jobs.js";
import { Pager } from "../pager.js";
import { complain } from "../toast.js";
import { noticeWords } from "../session_words.js";
import { undo } from "../undo.js";
import { person, when } from "../words.js";

const JOBS_EVERY = 2000;
//: Seconds that the history may lag.
const LONGEST_LAG = 10;

const KINDS = { __proto__: null, clear: t("Cleared"), purge: t("Deleted") };
function undoCell(removal) {
  if (removal.undone_at) return h("span", { class: "muted" }, t("undone by %(who)s", { who: person(removal.undone_by) || "?" }), ", ", when(removal.undone_at));
  if (!removal.count) return "";
  return h("button", { type: "button", class: "button small", disabled: !may("admin"), title: may("admin") ? null : need("admin"), onclick: () => undo(removal.undo_id, () => untilUndone(removal.undo_id)) }, t("Undo"));
}

/** The history hears of an undo a moment after it is done. */
async function untilUndone(undoId) {
  for (let asked = 0; asked < LONGEST_LAG; asked += 1) {
    const items = await loadRemovals();
    if (items.find((removal) => removal.undo_id === undoId)?.undone_at) return;
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

/** Where there is one lane, its name is no news. */
const isOfOneLane = (items) => new Set(items.map((removal) => removal.lane)).size < 2;

async function loadRemovals() {
  const { items } = await get("/undo");
  const columns = [
    { label: t("When"), class: "nowrap", cell: (removal) => when(removal.at) },
    { label: t("What"), cell: (removal) => [KINDS[removal.kind] ?? removal.kind, tn("%(count)s message", "%(count)s messages", removal.count)].join(": ") },
    isOfOneLane(items) ? null : { label: t("Lane"), cell: (removal) => removal.lane || t("several") },
    { label: t("Who"), cell: (removal) => person(removal.actor) },
    { label: t("Undo"), cell: undoCell },
  ].filter(Boolean);
  $("#removals").replaceChildren(items.length ? table(t("Cleared and deleted"), columns, items) : empty(t("Nothing was cleared or deleted"), t("Clearings and deletions can be undone here.")));
  return items;
}

const notices = (items) => [
  { label: t("When"), class: "nowrap", cell: (notice) => when(notice.at) },
  isOfOneLane(items) ? null : { label: t("Lane"), cell: (notice) => notice.lane },
  { label: t("What"), cell: (notice) => tagOf(noticeWords(notice)) },
  { label: t("Provider’s message"), class: "wide", cell: (notice) => notice.detail },
].filter(Boolean);
const tagOf = ([words, tone]) => h("span", { class: "tag", "data-tone": tone }, words);

/** What providers told of the senders; nothing is shown where they tell nothing. */
function loadNotices() {
  const draw = (items) => {
    $("#told-section").hidden = !items.length;
    $("#told").replaceChildren(table(t("From the providers"), notices(items), items));
  };
  return new Pager({ path: "/notices", button: $("#more-told"), draw }).show({});
}

async function loadJobs() {
  const { items } = await get("/jobs");
  $("#jobs").replaceChildren(...(items.length ? items.map((job) => jobCard(job, loadJobs)) : [empty(t("No re-drives or releases yet"), t("They are started on the pages “Dead letters” and “Dashboard”, and listed here."))]));
  if (items.some((job) => job.state === "running")) setTimeout(() => loadJobs().catch(complain), JOBS_EVERY);
}

const dayName = new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const dayOf = (seconds) => new Date(seconds * 1000).toDateString();

function dayWords(seconds) {
  const now = new Date();
  if (dayOf(seconds) === now.toDateString()) return t("Today");
  now.setDate(now.getDate() - 1);
  return dayOf(seconds) === now.toDateString() ? t("Yesterday") : dayName.format(seconds * 1000);
}

const actions = [
  { label: t("When"), class: "nowrap time", cell: (entry) => h("time", { datetime: new Date(entry.at * 1000).toISOString(), title: full(entry.at) }, clock(entry.at)) },
  { label: t("Who"), class: "who", cell: (entry) => [person(entry.source), entry.details.role && h("span", { class: "muted" }, ` · ${entry.details.role}`)] },
  { label: t("What"), class: "wide", cell: deed },
  { label: t("Outcome"), class: "outcome", cell: outcome },
];

function drawAudit(entries) {
  const days = [...new Set(entries.map(({ at }) => dayOf(at)))].map((day) => entries.filter(({ at }) => dayOf(at) === day));
  const nothing = location.search ? empty(t("Nothing found"), t("Remove a filter.")) : empty(t("No actions yet"), t("Every action, allowed or denied, is written down here."));
  $("#audit").replaceChildren(...(entries.length ? days.map((of) => h("div", { class: "audit-day" }, h("h3", {}, dayWords(of[0].at)), table(dayWords(of[0].at), actions, of))) : [nothing]));
}

/** The person and the day that the address names, as the API wants them. */
function wanted() {
  const words = new URLSearchParams(location.search);
  const day = new Date(`${words.get("day")}T00:00`);
  const range = Number.isNaN(day.getTime()) ? {} : { since: day.getTime() / 1000, until: new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime() / 1000 };
  return { actor: words.get("actor"), ...range };
}

async function wireFilter(show) {
  const form = $("#audit-filter");
  const fill = (words = new URLSearchParams(location.search)) => [...form.elements].filter(({ name }) => name).forEach((field) => { field.value = words.get(field.name) ?? ""; });
  const go = (values) => {
    const words = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
    history.pushState(null, "", words.size ? `?${words}` : location.pathname);
    show();
  };
  form.addEventListener("change", () => go(Object.fromEntries(new FormData(form))));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => go({}));
  addEventListener("popstate", () => { fill(); show(); });
  const { items } = await get("/audit/actors").catch(() => ({ items: [] }));
  const named = new URLSearchParams(location.search).get("actor");
  form.elements.actor.append(...[...new Set([...items, ...(named ? [named] : [])])].map((value) => h("option", { value }, person(value))));
  fill();
}

async function loadAudit() {
  if (!may("admin")) return $("#audit").replaceChildren(empty(t("Only admins see every action"), need("admin")));
  const pager = new Pager({ path: "/audit", button: $("#more"), draw: drawAudit });
  const show = () => pager.show(wanted());
  return Promise.all([wireFilter(show), show()]);
}

export const ready = Promise.all([loadRemovals().catch(complain), loadJobs().catch(complain), loadNotices().catch(complain), loadAudit()]);
