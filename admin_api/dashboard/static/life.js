// A message's life line: its steps, oldest first, with the time between. The API has folded them.

import { causeCode, causeDetail, causeTitle } from "./causes.js";
import { h } from "./dom.js";
import { clock, duration, full, moment } from "./format.js";
import { reasonWord, ruleLine } from "./hold_words.js";
import { said, t, tn } from "./i18n.js";
import { purposeWord } from "./optouts.js";
import { eventWords, messageLink, person } from "./words.js";

//: Seconds between two steps from which on the time between them is worth a word, and from which on a longer line.
const WORTH = 1;
const LONG = [60, 600];
//: Seconds; a shorter attempt is not told shorter.
const SHORTEST = 0.1;
const DAY = 86400;

const ATTEMPTS = {
  __proto__: null,
  "attempt.begun": (values) => [t("Attempt %(n)s is running", values), "wait"],
  "attempt.sent": (values) => [values.n > 1 ? t("Sent at attempt %(n)s, in %(time)s", values) : t("Sent in %(time)s", values), "good"],
  "attempt.failed": (values) => [t("Attempt %(n)s failed after %(time)s", values), "bad"],
  "attempt.uncertain": (values) => [t("Attempt %(n)s has no known outcome", values), "wait"],
};
/** What receipts say: in so much time after the send, or by themselves; and where the message had been called undelivered. */
const RECEIPTS = {
  __proto__: null,
  "receipt.sent": (time) => [time ? t("WhatsApp has it, %(time)s after the provider took it", { time }) : t("WhatsApp has it"), ""],
  "receipt.delivered": (time) => [time ? t("Delivered %(time)s after the provider took it", { time }) : t("Delivered"), "good"],
  "receipt.read": (time) => [time ? t("Read %(time)s after the provider took it", { time }) : t("Read"), "good"],
  "receipt.failed": () => [t("Not delivered, the provider says"), "bad"],
};
const PUBLISHED = new Set(["message.queued", "message.scheduled"]);

function title(step) {
  if (step.name === "outage") return outage(step);
  if (step.name === "outcome.held") return [heldWords(step), "wait"];
  if (step.name === "outcome.redriven" && step.details.copy) return [t("Replaced by an edited copy"), ""];
  if (RECEIPTS[step.name]) return RECEIPTS[step.name](step.details.after > 0 ? duration(Math.max(SHORTEST, step.details.after)) : "");
  if (step.name === "attempt.sent" && step.details.settled_by === "receipt") return [t("Sent at attempt %(n)s: without an answer, but a receipt proves it", { n: step.attempt || 1 }), "good"];
  return ATTEMPTS[step.name]?.({ n: step.attempt || 1, time: duration(Math.max(SHORTEST, step.until - step.at)) }) ?? eventWords(step.name);
}

function outage({ rounds, failure_class }) {
  return [failure_class === "throttled"
    ? tn("%(count)s round while the provider asked for a pause", "%(count)s rounds while the provider asked for a pause", rounds)
    : tn("%(count)s round while the provider was away", "%(count)s rounds while the provider was away", rounds), "wait"];
}

function heldWords({ details: { reason }, times }) {
  const why = reasonWord(reason) ?? "";
  return times > 1 ? tn("Held %(count)s time: %(why)s", "Held %(count)s times: %(why)s", times, { why }) : t("Held: %(why)s", { why });
}

/** Holds for the same reason, one after the other, as one step with a count. Pure. */
export function foldHolds(steps) {
  const folded = [];
  for (const step of steps) {
    const before = folded.at(-1);
    if (step.name !== "outcome.held") folded.push(step);
    else if (before?.name === step.name && before.details.reason === step.details.reason) folded[folded.length - 1] = { ...step, at: before.at, gap: before.gap, until: step.until, times: before.times + 1 };
    else folded.push({ ...step, times: 1 });
  }
  return folded;
}

function details(step) {
  const { code, detail, failure_class, by } = step;
  const about = step.details;
  const lines = [];
  // The end says again what the last attempt has said.
  if (failure_class || code) lines.push([causeTitle(failure_class, code), step.name !== "outcome.dead" && causeDetail(detail)].filter(Boolean).join(" · "));
  else if (detail) lines.push(said(detail));
  if (about.corrects) lines.push(t("It had been called undelivered; it arrived after all."));
  if (about.earlier) lines.push(t("That was an earlier send of this message."));
  if (about.provider_id && !RECEIPTS[step.name]) lines.push(t("Provider’s ID: %(id)s", { id: about.provider_id }));
  if (step.name === "outcome.held" && about.rule) lines.push(ruleLine(about.rule));
  if (step.name === "outcome.opted_out" && about.purpose) lines.push(purposeWord(about.purpose));
  if (about.due_at) lines.push(t("due %(time)s", { time: moment(about.due_at) }));
  if (about.note) lines.push(`“${about.note}”`);
  const who = by && (PUBLISHED.has(step.name) ? t("published by %(who)s", { who: by }) : t("by %(who)s", { who: person(by) }));
  const copy = about.copy && h("p", { class: "life-detail" }, messageLink(about.copy, t("Open the edited copy")));
  return [...lines.map((line) => h("p", { class: "life-detail", title: causeCode(failure_class, code) || null }, line)), copy, who && h("p", { class: "life-when" }, who)];
}

/** When it was: from until where it took longer than a second. */
function time(step) {
  const took = step.until - step.at;
  const words = (step.name === "outage" || step.times > 1) && took >= WORTH ? `${moment(step.at)}–${took < DAY ? clock(step.until) : moment(step.until)}` : moment(step.at);
  return h("time", { datetime: new Date(step.at * 1000).toISOString(), title: full(step.at) }, words);
}

/** The figures on top, such as “Waited 5 min 6 s, 1 attempt, 9 rounds in an outage”; empty before there are any. */
export function verdict({ waited, is_over: isOver, attempts, rounds }) {
  const time_ = waited === null ? "" : duration(waited);
  return [
    time_ && (isOver ? t("Waited %(time)s", { time: time_ }) : t("Waiting for %(time)s", { time: time_ })),
    (attempts > 0 || isOver) && tn("%(count)s attempt", "%(count)s attempts", attempts),
    rounds > 0 && tn("%(count)s round in an outage", "%(count)s rounds in an outage", rounds),
  ].filter(Boolean).join(", ");
}

/** The list. */
export function lifeLine(steps) {
  if (!steps.length) return h("p", { class: "muted" }, t("The history does not go back that far."));
  return h("ol", { class: "life" }, foldHolds(steps).map((step) => {
    const [words, tone] = title(step);
    return h("li", { "data-tone": tone, "data-name": step.name, "data-gap": LONG.filter((least) => step.gap >= least).length || null },
      h("p", { class: "life-what" }, words),
      h("p", { class: "life-when" }, time(step), step.gap >= WORTH && h("span", { class: "life-gap" }, `+${duration(step.gap)}`)),
      details(step));
  }));
}
