// The report: what was sent, how much of it failed, and how long it took.

import { address } from "../api.js";
import { causeCode, causeTitle } from "../causes.js";
import { Chart } from "../chart.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { duration, number, percent } from "../format.js";
import { dayName, heatMap } from "../heat_map.js";
import { t, tn } from "../i18n.js";
import { onChange } from "../news.js";
import { sparkLine } from "../spark_line.js";
import { complain } from "../toast.js";
import { priorityTag, when } from "../words.js";
import { getInZone, zoneQuery } from "../zone.js";

const AFTER_NEWS = 10000;
const EVERY = 60000;
const query = new URLSearchParams(location.search);
const lane = query.get("lane") ?? "";
const PERIODS = { today: t("Today"), yesterday: t("Yesterday"), "7d": t("In the last 7 days"), "30d": t("In the last 30 days") };
const BEFORE = { today: t("yesterday by this time"), yesterday: t("the day before"), "7d": t("the 7 days before"), "30d": t("the 30 days before") };

const chosen = () => $("#period input:checked").value;
let chart = null;

/** A table that stays one on a phone. */
function figureTable(caption, columns, rows) {
  const made = table(caption, columns, rows);
  made.className = "table report-table";
  return made;
}

/** The whole report in one breath. */
function sentence(report) {
  const { sent, success_rate: rate, wait } = report.totals;
  const period = PERIODS[report.period];
  if (rate === null) return t("%(period)s: nothing was sent.", { period });
  const first = tn("%(period)s: %(count)s message sent, %(rate)s succeeded.", "%(period)s: %(count)s messages sent, %(rate)s succeeded.", sent, { period, rate: percent(rate) });
  if (!wait) return first;
  const second = t("Half waited under %(half)s, %(part)s under %(most)s.", { half: duration(wait.p50), part: percent(0.95), most: duration(wait.p95) });
  return `${first} ${second}`;
}

function about(report) {
  const waiting = report.waiting ? tn("%(count)s message is waiting now.", "%(count)s messages are waiting now.", report.waiting) : t("Nothing is waiting now.");
  const known = report.known_since ? [" ", t("The figures begin at"), " ", when(report.known_since), "."] : [];
  const alone = report.before ? [] : [" ", t("The period before has no complete figures to compare with.")];
  $("#about").replaceChildren(waiting, ...known, ...alone);
}

/** How a figure compares with the one before; nothing is said that is not known. */
function compared(report, value, format) {
  if (!report.before) return "";
  const old = value(report.before);
  return old === null || old === undefined ? t("none %(before)s", { before: BEFORE[report.period] }) : t("%(value)s %(before)s", { value: format(old), before: BEFORE[report.period] });
}

function figures(report) {
  const cells = [
    ["sent", t("sent"), number, (totals) => totals.sent],
    ["failed", t("failed"), number, (totals) => totals.failed],
    ["rate", t("succeeded"), percent, (totals) => totals.success_rate],
    ["half", t("half waited under"), duration, (totals) => totals.wait?.p50],
    ["most", t("95 of 100 waited under"), duration, (totals) => totals.wait?.p95],
  ];
  $("#figures").replaceChildren(...cells.map(([key, label, format, value]) => {
    const now = value(report.totals);
    return h("div", { class: "figure", "data-figure": key, "data-alert": key === "failed" && now > 0 },
      h("p", { class: "figure-label" }, label), h("p", { class: "figure-number" }, now === null || now === undefined ? "–" : format(now)),
      h("p", { class: "figure-before" }, compared(report, value, format)));
  }));
}

/** One bar for each hour of a day, or for each day. */
function overTime(report) {
  const oneDay = report.days.length === 1;
  const title = oneDay ? t("Sent per hour") : t("Sent and failed per day");
  const sent = { key: "sent", name: t("sent"), value: (bar) => bar.sent };
  const series = oneDay ? [sent] : [sent, { key: "dead", name: t("failed"), value: (bar) => bar.failed }];
  const bars = oneDay ? report.days[0].hours.map((count, hour) => ({ name: `${String(hour).padStart(2, "0")}:00`, sent: count })) : report.days.map((day) => ({ ...day, name: dayName(day.date) }));
  if (chart?.title !== title) {
    chart = new Chart({ title, about: t("Messages that the provider accepted."), kind: "bars", series, emptyWords: t("Nothing was sent in this time."), name: (bar) => bar.name });
    $("#over-time").replaceChildren(chart.element);
  }
  chart.show(bars.map((bar, index) => ({ ...bar, start: index, end: index + 1 })), 1);
}

function waits(report) {
  const rows = Object.entries(report.waits);
  const columns = [
    { label: t("Priority"), cell: ([priority]) => priorityTag(priority) },
    { label: t("Sent"), class: "number", cell: ([, wait]) => number(wait.count) },
    { label: t("Half waited under"), class: "number", cell: ([, wait]) => duration(wait.p50) },
    { label: t("95 of 100 under"), class: "number", cell: ([, wait]) => duration(wait.p95) },
  ];
  $("#waits").replaceChildren(rows.length ? figureTable(t("Wait by priority"), columns, rows) : empty(t("Nothing was sent"), t("There are no waiting times.")));
}

function causes(report) {
  const columns = [
    { label: t("Cause"), class: "wide", cell: (cause) => [h("b", {}, cause.failure_class === "expired" ? t("Expired") : causeTitle(cause.failure_class, cause.code)), h("span", { class: "cause-code" }, causeCode(cause.failure_class, cause.code))] },
    { label: t("Messages"), class: "number", cell: (cause) => number(cause.count) },
  ];
  $("#causes").replaceChildren(report.causes.length ? figureTable(t("Why messages failed"), columns, report.causes) : empty(t("Nothing failed"), t("No message was given up in this time.")));
}

function sources(report) {
  const columns = [
    { label: t("Source"), class: "wide", cell: (source) => source.name || t("unknown") },
    { label: t("Sent"), class: "number", cell: (source) => number(source.sent) },
    { label: t("Failed"), class: "number", cell: (source) => number(source.failed) },
    { label: t("Succeeded"), class: "number", cell: (source) => percent(source.success_rate) },
    { label: t("Over time"), class: "spark-cell", cell: (source) => sparkLine(source.over_time, t("most at once: %(most)s", { most: number(Math.max(...source.over_time)) })) },
  ];
  $("#sources").replaceChildren(report.sources.length ? figureTable(t("By source"), columns, report.sources) : empty(t("Nothing was sent"), t("Messages that the provider accepted are counted here.")));
}

/** What became of what was sent, by provider, and by lane where there are several. */
function deliveries(report) {
  const columns = (what) => [
    { label: what, class: "wide", cell: (one) => one.name || t("unknown") },
    { label: t("Handed over"), class: "number", cell: (one) => number(one.handed_over) },
    { label: t("Delivered"), class: "number", cell: (one) => number(one.delivered) },
    { label: t("Read"), class: "number", cell: (one) => number(one.read) },
    { label: t("Not delivered"), class: "number", cell: (one) => number(one.failed) },
    { label: t("Unknown"), class: "number", cell: (one) => number(one.unknown) },
    { label: t("Arrived"), class: "number", cell: (one) => (one.delivery_rate === null ? "–" : percent(one.delivery_rate)) },
    { label: t("Half within"), class: "number", cell: (one) => (one.time ? duration(one.time.p50) : "–") },
    { label: t("95 of 100 within"), class: "number", cell: (one) => (one.time ? duration(one.time.p95) : "–") },
  ];
  const tables = [table(t("By provider"), columns(t("Provider")), report.providers)];
  if (report.lanes.length > 1) tables.push(table(t("By lane"), columns(t("Lane")), report.lanes));
  $("#deliveries-card").hidden = !report.providers.length;
  $("#deliveries").replaceChildren(...tables);
}

function hours(report) {
  const known = report.days.filter((day) => day.sent !== null);
  $("#hours-card").hidden = report.days.length < 2 || !report.totals.sent;
  if (!$("#hours-card").hidden) $("#hours").replaceChildren(heatMap(t("Sent by hour of the day"), known));
}

async function refresh() {
  const period = chosen();
  const report = await getInZone("/analytics/report", { period, lane });
  if (period !== chosen()) return;
  $("#csv").setAttribute("href", address("/analytics/report.csv", { period, lane, ...zoneQuery() }));
  say($("#line"), sentence(report));
  for (const part of [about, figures, overTime, waits, causes, sources, deliveries, hours]) part(report);
}

/** What nobody asked for may fail quietly: the next one comes soon. */
const refreshQuietly = () => { if (!document.hidden) refresh().catch(() => {}); };

$$("#period input").forEach((one) => { one.checked = one.value === (query.get("period") ?? "today"); });
if (!$("#period input:checked")) $("#period input").checked = true;
$("#period").addEventListener("change", () => {
  query.set("period", chosen());
  history.replaceState(null, "", `?${query}`);
  refresh().catch(complain);
});
onChange(refreshQuietly, { after: AFTER_NEWS });
setInterval(refreshQuietly, EVERY);
export const ready = refresh().catch(complain);
