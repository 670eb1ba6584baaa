// The dashboard: the status as it comes, drawn part by part.

import { get } from "../api.js";
import { Charts } from "../charts.js";
import { Countdown } from "../countdown.js";
import { wireActions } from "../dashboard_actions.js";
import { Drain } from "../drain.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { addEvent } from "../feed.js";
import { duration, number, phone } from "../format.js";
import { honesty, notices } from "../honesty.js";
import { t } from "../i18n.js";
import { on } from "../news.js";
import { drawLine } from "../queue_line.js";
import { explain, spoken } from "../reasons.js";
import { messageLink, priorityTag, when } from "../words.js";

const CHARTS_EVERY = 20000;
const query = new URLSearchParams(location.search);
const lane = query.get("lane") ?? "";

let status = null;
let state = "off";
let said = "";
let received = 0;
let lost = false;
let heardSomething;

const countdown = new Countdown($("#ring"), headline);
const charts = new Charts($("#charts"));
const drain = new Drain($("#drain"));

function headline() {
  if (!status || lost) return;
  const [title, words] = explain(status, countdown.left);
  const place = $("#headline");
  // A countdown read aloud every second is no help: it speaks when the reason changes.
  const news = spoken(status) !== said;
  said = spoken(status);
  place.setAttribute("aria-live", news ? "polite" : "off");
  say(place, title);
  const key = JSON.stringify(words);
  if ($("#why").dataset.key !== key) {
    $("#why").dataset.key = key;
    $("#why").replaceChildren(...words.map((word) => (word.code ? h("code", {}, word.code) : word)));
  }
}

function showSending() {
  const sending = status.sending;
  const line = $("#now-sending");
  line.hidden = !sending;
  if (!sending) return;
  line.replaceChildren(h("span", {}, t("Attempt %(n)s since %(time)s", { n: sending.attempt, time: duration(Math.max(0, status.at - sending.since)) })), messageLink(sending.message_id));
}

function showCounters() {
  for (const key of ["waiting", "retrying", "scheduled", "failed_messages"]) counter(key, status[key]);
  $('[data-counter="failed_messages"]').toggleAttribute("data-alert", status.failed_messages > 0);
}

function counter(key, value) {
  say($(`[data-counter="${key}"] .counter-number`), number(value));
}

function showNext() {
  const next = status.next_messages ?? [];
  const left = status.estimated_time;
  say($("#all-sent-in"), left ? t("All sent in about %(time)s", { time: duration(left) }) : "");
  drawLine($("#queue-line"), next, status.queue_length);
  const columns = [
    { label: t("In"), class: "nowrap", cell: (message) => (message.eta_seconds === null ? "–" : message.eta_seconds < 1 ? t("now") : duration(message.eta_seconds)) },
    { label: t("Number"), class: "nowrap", cell: (message) => messageLink(message.message_id, phone(message.phone_number) || t("unreadable")) },
    { label: t("Priority"), cell: (message) => priorityTag(message.priority) },
    { label: t("Attempt"), class: "number", cell: (message) => number(message.attempt) },
    { label: t("Queued"), class: "nowrap", cell: (message) => when(message.queued_at) },
  ];
  const held = document.activeElement?.closest("#next") ? document.activeElement.getAttribute("href") : null;
  $("#next").replaceChildren(next.length ? table(t("Next messages"), columns, next) : empty(t("The queue is empty"), t("What a service publishes appears here at once.")));
  if (held) $(`#next a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function showLanes() {
  const lanes = status.lanes ?? [];
  $("#lane-choice").hidden = lanes.length < 2;
  if (lanes.length < 2 || $("#lane").options.length) return;
  $("#lane").append(...lanes.map((name) => h("option", { value: name, selected: name === status.lane }, name)));
  $("#lane").addEventListener("change", (event) => location.assign(`?lane=${encodeURIComponent(event.target.value)}`));
}

function show(news) {
  status = news;
  lost = false;
  received = performance.now();
  $("#hero").dataset.reason = status.next_send_reason;
  countdown.show(status);
  headline();
  showSending();
  showCounters();
  showNext();
  showLanes();
  drain.show(status);
  actions.show(status);
  honest();
  heardSomething();
}

function honest() {
  if (!status) return;
  const age = (performance.now() - received) / 1000;
  $("#notices").replaceChildren(...notices(status, state, age));
  say($("#honesty"), honesty(status, age));
}

function lose(title, words) {
  heardSomething();
  lost = true;
  said = "";
  $("#hero").dataset.reason = "lost";
  countdown.lose();
  $("#headline").setAttribute("aria-live", "polite");
  say($("#headline"), title);
  $("#why").dataset.key = "";
  say($("#why"), words);
}

function connection(now) {
  if (now === state) return;
  state = now;
  if (state === "lost") lose(t("No connection to the admin server"), t("What you see is the last that was known. Sending goes on without this page."));
  honest();
}

function brokerAway(words) {
  lose(t("The broker does not answer"), words || t("Nothing can be sent or read until it is back. What it holds is on its disk."));
  honest();
}

function event(news) {
  addEvent($("#feed"), news);
  if (news.name === "outcome.sent") drain.sent();
  if (news.name === "outcome.sent" || news.name === "outcome.dead") refreshSoon();
}

/** What happened before the page was opened. */
function past(news) {
  addEvent($("#feed"), news, { fresh: false });
}

let soon = 0;
function refreshSoon() {
  soon ||= setTimeout(() => { soon = 0; refreshCharts(); }, 3000);
}

async function refreshCharts() {
  if (document.hidden) return;
  const minutes = $('#span input:checked').value;
  try {
    const shown = await charts.refresh(minutes, lane);
    const buckets = minutes === "60" ? shown : (await get("/analytics", { minutes: 60, lane })).buckets;
    counter("sent_hour", buckets.reduce((sum, bucket) => sum + bucket.sent, 0));
    drain.learn(buckets);
  } catch {
    // The sign for the connection says it already; the charts stay as they were.
  }
}

const actions = wireActions({ lane, counts: () => status });
if (query.has("minutes")) $$("#span input").forEach((one) => { one.checked = one.value === query.get("minutes"); });
if (!$("#span input:checked")) $("#span input").checked = true;
$("#span").addEventListener("change", (change) => {
  query.set("minutes", change.target.value);
  history.replaceState(null, "", `?${query}`);
  refreshCharts();
});
addEventListener("resize", () => { if (status) drawLine($("#queue-line"), status.next_messages ?? [], status.queue_length); });
document.addEventListener("visibilitychange", refreshCharts);
$("#feed").append(h("li", { class: "feed-empty muted" }, t("Waiting for the first event …")));
setInterval(refreshCharts, CHARTS_EVERY);
setInterval(honest, 1000);
export const ready = Promise.all([refreshCharts(), new Promise((resolve) => { heardSomething = resolve; })]);
on("status", show);
on("event", event);
on("past", past);
on("state", connection);
on("trouble", ({ detail }) => brokerAway(detail));
