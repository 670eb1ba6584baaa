// The dashboard: the status as it comes, drawn part by part.

import { get } from "../api.js";
import { Charts } from "../charts.js";
import { Countdown } from "../countdown.js";
import { wireActions } from "../dashboard_actions.js";
import { Drain } from "../drain.js";
import { $, $$, empty, h, say, table } from "../dom.js";
import { Feed } from "../feed.js";
import { number, phone } from "../format.js";
import { Holds } from "../holds.js";
import { facts, honesty, lasting } from "../honesty.js";
import { t } from "../i18n.js";
import { on } from "../news.js";
import { age } from "../page_state.js";
import { QueueLine } from "../queue_line.js";
import { explain, inWords, sendingWords, spoken } from "../reasons.js";
import { messageLink, priorityTag, when } from "../words.js";

const CHARTS_EVERY = 20000;
//: Rows in the list of what goes next; the page keeps the room for them.
const ROWS = 10;
const query = new URLSearchParams(location.search);
const lane = query.get("lane") ?? "";

let status = null;
let differs = null;
let overall = { kind: "off", isOld: false };
let said = "";
let sentInHour = 0;
let heardSomething;

const countdown = new Countdown($("#ring"), headline);
const charts = new Charts($("#charts"));
const drain = new Drain($("#drain"));
const feed = new Feed($("#feed"));
const holds = new Holds(lane);
const line = new QueueLine($("#queue-line"), $("#ring"));

function headline() {
  if (!status || overall.isOld) return;
  // A countdown read aloud every second is no help: it speaks when the reason changes.
  const words = explain(status, countdown.left);
  tellHeadline(words, spoken(status));
  holds.tellLane(words[0]);
}

function tellHeadline([title, words], key) {
  const place = $("#headline");
  place.setAttribute("aria-live", key === said ? "off" : "polite");
  said = key;
  say(place, title);
  draw($("#why"), words);
}

/** Draw words anew only when they changed. */
function draw(place, words) {
  const key = JSON.stringify(words.map((word) => word.outerHTML ?? word));
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(...words.filter(Boolean).map((word) => (word.code ? h("code", {}, word.code) : word)));
}

function showSending() {
  const words = sendingWords(status);
  $("#now-sending").toggleAttribute("data-idle", !words.length);
  draw($("#now-sending"), words);
}

function showCounters() {
  for (const key of ["waiting", "held", "retrying", "scheduled", "failed_messages"]) counter(key, status[key]);
  $('[data-counter="failed_messages"]').toggleAttribute("data-alert", status.failed_messages > 0);
}

function counter(key, value) {
  say($(`[data-counter="${key}"] .counter-number`), number(value));
}

const retryRow = (retry) => ({ ...retry, eta_seconds: Math.max(0, retry.due_at - status.at) });
const queued = (message) => (message.attempt > 1 ? h("span", { class: "muted" }, t("attempt %(n)s", { n: message.attempt })) : when(message.queued_at));

const COLUMNS = [
  { label: t("In"), class: "in", cell: (message) => inWords(overall.isOld ? null : message.eta_seconds) },
  { label: t("Number"), class: "who", cell: (message) => messageLink(message.message_id, phone(message.phone_number) || t("unreadable")) },
  { label: t("Source"), class: "source", cell: (message) => message.source ?? "" },
  { label: t("Priority"), class: "rank", cell: (message) => priorityTag(message.priority) },
  { label: t("Queued"), class: "nowrap queued", cell: queued },
];

function showNext() {
  const next = status.next_messages ?? [];
  const rows = [...next, ...(status.retries ?? []).map(retryRow)].slice(0, ROWS);
  line.draw(next, Math.max(0, status.queue_length - status.in_flight));
  const held = document.activeElement?.closest("#next") ? document.activeElement.getAttribute("href") : null;
  $("#next").replaceChildren(rows.length ? table(t("Next messages"), COLUMNS, rows) : nothingNext());
  if (held) $(`#next a[href="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function nothingNext() {
  if (status.queue_length) return empty(t("One message is being sent"), t("Nothing waits behind it."));
  return status.retrying ? empty(t("Nothing waits now"), t("%(n)s failed before and are tried again later.", { n: number(status.retrying) }))
    : empty(t("The queue is empty"), t("New messages appear here at once."));
}

function showLanes() {
  const lanes = status.lanes ?? [];
  $("#lane-choice").hidden = lanes.length < 2;
  if (lanes.length < 2 || $("#lane").options.length) return;
  say($('[data-counter="failed_messages"] .counter-hint'), t("not tried again, all lanes"));
  $("#lane").append(...lanes.map((name) => h("option", { value: name, selected: name === status.lane }, name)));
  $("#lane").addEventListener("change", (event) => location.assign(`?lane=${encodeURIComponent(event.target.value)}`));
}

function show(news) {
  const before = status?.sending?.message_id;
  status = news;
  differs = lasting(differs, status);
  overall = { kind: "", isOld: false };
  holds.setOld(false);
  $("#hero").dataset.reason = status.next_send_reason;
  if (status.sending && status.sending.message_id !== before) line.leave(status.sending.message_id);
  countdown.show(status);
  headline();
  showSending();
  showCounters();
  showNext();
  showLanes();
  drain.show(status);
  actions.show(status);
  say($("#facts"), facts(status));
  heardSomething();
}

/** What all pages show as their state; here the headline tells it where the lane's own words do not hold. */
function showOverall(now) {
  const wasOld = overall.isOld;
  overall = now;
  if (status) say($("#honesty"), honesty(status, age(), differs, now.isOld));
  if (!now.isOld) return;
  holds.setOld(true);
  holds.tellLane("");
  heardSomething();
  $("#hero").dataset.reason = now.kind;
  countdown.lose();
  const [title, words] = now.words;
  tellHeadline([title.replace(/\.$/, ""), words], title);
  if (wasOld) return;
  say($("#facts"), "");
  drain.show(null);
  draw($("#now-sending"), []);
  $("#now-sending").toggleAttribute("data-idle", true);
  if (status) showNext();
  else $("#next").replaceChildren(empty(t("Not known"), t("It is shown as soon as the connection is back.")));
}

/** Between two looks into the history it is counted. */
function countSent(count) {
  sentInHour = count;
  counter("sent_hour", count);
}

function event(news) {
  feed.add(news);
  if (news.name === "outcome.sent") {
    drain.sent();
    countSent(sentInHour + 1);
  }
  if (news.name === "outcome.sent" || news.name === "outcome.dead") refreshSoon();
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
    countSent(buckets.reduce((sum, bucket) => sum + bucket.sent, 0));
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
document.addEventListener("visibilitychange", refreshCharts);
setInterval(refreshCharts, CHARTS_EVERY);
export const ready = Promise.all([holds.refresh().then(() => { holds.followRunning(); }), refreshCharts(), new Promise((resolve) => { heardSomething = resolve; })]);
on("status", show);
on("event", event);
on("past", (news) => feed.add(news, { fresh: false }));
on("overall", showOverall);
