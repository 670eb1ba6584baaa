// The dead-letter desk.

import { applyRole, may } from "../access.js";
import { onPress } from "../action.js";
import { address, get } from "../api.js";
import { drawCauses, growOlder } from "../cause_cards.js";
import { causeTitle } from "../causes.js";
import { wireSelection } from "../desk_selection.js";
import { $, $$, empty, h, say } from "../dom.js";
import { Filters } from "../filters.js";
import { duration, number } from "../format.js";
import { t, tn } from "../i18n.js";
import { ending, follow, isRelease, jobCard } from "../jobs.js";
import { fewerDead, openDelete, openRedrive } from "../letter_dialogs.js";
import { letterTable } from "../letter_table.js";
import { on, onChange } from "../news.js";
import { Pager } from "../pager.js";
import { complain, toast } from "../toast.js";
import { undo } from "../undo.js";
import { className, classes } from "../words.js";

//: Seconds after an action in which the history may not have heard of it.
const LAGS = [1, 3];
//: Seconds after which what was deleted is news no more, and the lists know of it by themselves.
const NEWS = 60;
const KNOWN = 10;
//: Seconds for which the end of a re-drive stays to be read.
const LINGER = 30;
const NAMES = ["failure_class", "code", "detail", "source", "lane", "phone_number", "text", "since", "until"];
const ABOUT_LETTERS = new Set(["outcome.dead", "outcome.redriven", "outcome.purged", "outcome.restored", "outcome.cleared", "message.noted", "message.buried", "dead.purged", "lane.cleared", "undo.done", "job.finished"]);

const driven = new Set();
const gone = new Set();
let deleted = null;
let away = false;
let failure = "";
let drawn = "";

const selection = wireSelection({ filter: () => filters.filter, redrive, remove });
const pager = new Pager({ path: "/failed", button: $("#more"), draw: drawLetters, failed });
$("#filters [name=failure_class]").append(...Object.entries(classes).map(([name, words]) => h("option", { value: name }, words)));
const filters = new Filters($("#filters"), NAMES, load, { sort: numberOrText, folded: true });

/** The one field takes both: what has a letter in it is looked for in the texts. */
function numberOrText({ phone_number: found = "", ...rest }) {
  return /\p{L}/u.test(found) ? { ...rest, phone_number: "", text: found } : { ...rest, phone_number: found, text: "" };
}

function drawLetters(letters, answer) {
  failure = "";
  const there = letters.filter((letter) => !gone.has(letter.message_id));
  selection.offer(there, { isWhole: !answer.next_cursor });
  selection.match(answer.total ?? there.length);
  const focused = focusedKey();
  $("#letters").replaceChildren(there.length ? letterTable(there, { selection, driven }) : nothing());
  focusAgain(focused);
  applyRole($("#selection"));
}

/** What has the focus in the list, by a name that outlives a redraw. */
function focusedKey() {
  const element = document.activeElement;
  if (!$("#letters").contains(element)) return null;
  return { row: element.closest("tr")?.dataset.id ?? "", tag: element.tagName };
}

function focusAgain(key) {
  if (!key) return;
  const row = key.row ? $(`#letters tr[data-id="${CSS.escape(key.row)}"]`) : $("#letters thead");
  row?.querySelector(key.tag)?.focus({ preventScroll: true });
}

function nothing() {
  if (failure) return h("p", { class: "empty" }, h("b", {}, t("The list could not be loaded")), failure);
  if (Object.keys(filters.filter).length) return empty(t("No dead letters match"), t("Remove a filter."));
  if (deleted) return deletedJustNow();
  if (away) return empty(t("No dead letters are known"), t("The broker does not answer, so there may be others."));
  return empty(t("No dead letters"), t("Nothing to do here."));
}

function deletedJustNow() {
  const { purged, undo_id: undoId } = deleted;
  const again = h("button", { type: "button", class: "link" }, t("Undo"));
  onPress(again, () => undo(undoId, restored));
  return h("p", { class: "empty" }, h("b", {}, t("No dead letters")), tn("%(count)s was deleted just now.", "%(count)s were deleted just now.", purged), " ", again);
}

function drawGroups(answer) {
  const { groups, total, retention_alarm } = answer;
  const key = JSON.stringify([answer, filters.filter, deleted]);
  if (key === drawn) return;
  drawn = key;
  say($("#desk-summary"), total ? tn("%(count)s message was given up. Nothing is lost: find the cause, then send it again.", "%(count)s messages were given up. Nothing is lost: find the cause, then send them again.", total) : "");
  drawCauses(groups, { filters, redrive, remove });
  alarm(retention_alarm);
}

/** What grows older than the history remembers loses its story: say so before. */
function alarm(news) {
  const words = news && (news.seconds_left > 0
    ? tn("The history of %(count)s dead letter is forgotten soon: the oldest in %(time)s. Re-drive it, or export it first.", "The history of %(count)s dead letters is forgotten soon: the oldest in %(time)s. Re-drive them, or export them first.", news.count, { time: duration(news.seconds_left) })
    : t("The oldest dead letter is older than the history. It is still in the broker; re-drive or export it."));
  const old = $("#notices [data-retention]");
  if (!words) old?.remove();
  else if (old) say(old, words);
  else $("#notices").append(h("p", { class: news.seconds_left > 0 ? "notice" : "notice bad", "data-retention": true }, words));
}

const withoutCause = ({ failure_class, code, detail, ...rest }) => rest;
const loadGroups = async () => drawGroups(await get("/failed", { ...withoutCause(filters.filter), group: true, limit: 1 }));

function failed(error) {
  failure = error.message;
  if (!$("#letters table")) $("#letters").replaceChildren(nothing());
  else complain(error);
}

async function load(filter) {
  selection.forget();
  const chips = filters.chips((name, value) => (name === "failure_class" ? className(value) : name === "code" ? causeTitle("", value) : value));
  $("#applied").hidden = !chips.length;
  $("#applied").replaceChildren(...chips);
  await Promise.all([loadGroups().catch(() => {}), pager.show(filter)]);
}

/** The list and the causes as they are now; selection, place and focus stay. */
async function refresh() {
  await Promise.all([loadGroups(), pager.refresh()]).catch(failed);
}

/** The history hears of what was done a moment later. */
function refreshSoon() {
  drawn = "";
  refresh();
  for (const lag of LAGS) setTimeout(refresh, 1000 * lag);
}

const shown = () => (pager.items ?? []).filter((letter) => !gone.has(letter.message_id));

/** Those of the letters shown that are meant. */
function meant({ ids, filter }) {
  if (ids) return shown().filter((letter) => ids.includes(letter.message_id));
  const fits = (letter) => ["failure_class", "code", "detail"].every((name) => filter[name] === undefined || filter[name] === letter[name]);
  return shown().filter(fits);
}

function redrive(selected) {
  return openRedrive(selected, (job, options) => {
    const letters = meant(selected).filter((letter) => !options.skip_uncertain || !letter.may_have_arrived).map((letter) => letter.message_id);
    selection.forget();
    showJob(job, options.limit ? [] : letters);
  });
}

function remove(selected, count) {
  openDelete(selected, count, (answer) => {
    if (answer.purged === count) meant(selected).forEach((letter) => gone.add(letter.message_id));
    deleted = answer.purged ? answer : deleted;
    setTimeout(() => gone.clear(), 1000 * KNOWN);
    setTimeout(() => { if (deleted === answer) { deleted = null; redraw(); } }, 1000 * NEWS);
    selection.forget();
    redraw();
    refreshSoon();
  }, restored);
}

function restored() {
  gone.clear();
  deleted = null;
  redraw();
  refreshSoon();
}

const redraw = () => pager.items && drawLetters(pager.items, { total: pager.total, next_cursor: pager.cursor });

async function showJob(job, letters = []) {
  const box = $("#jobs");
  const place = h("div", {});
  const close = () => { place.remove(); box.hidden = !box.children.length; };
  box.hidden = false;
  box.prepend(place);
  const draw = (latest) => place.replaceChildren(jobCard(latest));
  draw(job);
  letters.forEach((id) => driven.add(id));
  redraw();
  try {
    const last = await follow(job.job_id, draw);
    fewerDead(last.done);
    toast(ending(last), { bad: !["done", "cancelled"].includes(last.state) });
  } catch (error) {
    complain(error);
  }
  letters.forEach((id) => driven.delete(id));
  refreshSoon();
  setTimeout(close, 1000 * LINGER);
}

for (const button of $$("[data-export]")) {
  button.addEventListener("click", () => may("admin") && location.assign(address("/failed/export", { ...filters.filter, format: button.dataset.export })));
}
on("trouble", (why) => { if (Boolean(why) !== away) { away = Boolean(why); redraw(); } });
on("status", () => { if (away) { away = false; refresh(); } });
onChange(refresh, { matters: (event) => ABOUT_LETTERS.has(event.name) });
setInterval(growOlder, 10_000);
export const ready = load(filters.filter);
get("/jobs").then(({ items }) => items.filter((job) => job.state === "running" && !isRelease(job)).forEach((job) => showJob(job)), () => {});
