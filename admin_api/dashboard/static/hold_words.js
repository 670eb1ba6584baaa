// What a message waits for, in words: as a tag, as one sentence with its end, and the rule behind it. Pure.

import { atTime, duration, number } from "./format.js";
import { capital, said, t, tn } from "./i18n.js";
import { person } from "./person.js";

/** By reason: [tag, sentence that says when it ends, sentence without an end]. */
const REASONS = {
  __proto__: null,
  paused: [t("sending is paused"), null, t("Sending is paused: it goes out after “Resume”.")],
  provider_away: [t("provider does not answer"), t("The provider does not answer; it is asked again %(time)s."), t("The provider does not answer; it is asked again automatically.")],
  throttled: [t("provider asked for a pause"), t("The provider asked for a pause, which ends %(time)s."), t("The provider asked for a pause.")],
  scheduled: [t("scheduled"), t("It is scheduled, and leaves %(time)s."), t("It is scheduled for later.")],
  retry: [t("waits for another attempt"), t("An attempt failed; the next one follows %(time)s."), t("An attempt failed; the next one follows.")],
  window: [t("outside sending hours"), t("Messages of this priority are sent at certain hours only; its turn comes %(time)s."), t("Messages of this priority are sent at certain hours only.")],
  recipient_gap: [t("same person a moment ago"), t("The same person was sent a message a moment ago; this one follows %(time)s."), t("The same person was sent a message a moment ago; this one follows.")],
  cold_held: [t("new contacts refused"), t("This person is a new contact, and WhatsApp refuses new contacts from this number; they are tried again %(time)s."), t("This person is a new contact, and WhatsApp refuses new contacts from this number.")],
  cold_cap: [t("limit for new contacts"), t("This person is a new contact, and only so many are written to in a day; its turn comes %(time)s."), t("This person is a new contact, and only so many are written to in a day.")],
  warm_up: [t("number is warming up"), t("This person is a new contact, and a new number writes to few of them a day; its turn comes %(time)s."), t("This person is a new contact, and a new number writes to few of them a day.")],
  daily_cap: [t("limit of the day"), t("As many messages as allowed were sent today; sending goes on %(time)s."), t("As many messages as allowed were sent today.")],
  hourly_cap: [t("limit of the hour"), t("As many messages as allowed were sent in this hour; sending goes on %(time)s."), t("As many messages as allowed were sent in this hour.")],
  pace: [t("waits its turn"), t("It waits its turn: messages leave one by one; this one %(time)s or soon after."), t("It waits its turn: messages leave one by one, with a pause after each.")],
};

//: Holds that can be released: each of their messages waits on its own, and can be looked at again.
const RELEASABLE = new Set(["window", "recipient_gap", "cold_held", "cold_cap", "warm_up"]);

export const canRelease = (reason) => RELEASABLE.has(reason);
export const reasonWord = (reason) => REASONS[reason]?.[0] ?? reason;

//: What stands in the place of a rule where nothing is sent for another reason.
const INSTEAD = { __proto__: null, "no consumer is running": t("No consumer is running, so nothing is sent."), "the broker does not tell": t("The broker does not answer, so nobody knows.") };

//: The provider answers, and its sender cannot send: it is that which people can do something about.
const SENDER_IS_AWAY = /^(the sender |WhatsApp has blocked the sender)/;

/** What keeps a sender from sending whose provider answers, without a full stop; empty where nothing of the kind holds. */
export const senderTrouble = (hold) => (SENDER_IS_AWAY.test(hold?.rule ?? "") ? capital(said(hold.rule)) : "");

/** Why a message is not sent yet, in one sentence with the end of the wait; an end that is over is none. */
export function holdSentence({ reason, until, rule }, now = Date.now() / 1000) {
  if (INSTEAD[rule]) return INSTEAD[rule];
  if (senderTrouble({ rule })) return `${senderTrouble({ rule })}.`;
  const [, ending, endless] = REASONS[reason] ?? [];
  if (!endless) return capital(reason);
  return ending && until > now ? fill(ending, atTime(until, now)) : endless;
}

const fill = (sentence, time) => sentence.replace("%(time)s", time);

/** [pattern of a rule as the settings write it, its words]. */
const RULES = [
  [/^cold_daily_cap (\d+)$/, ([cap]) => tn("at most %(count)s new contact a day", "at most %(count)s new contacts a day", Number(cap))],
  [/^daily_cap (\d+)$/, ([cap]) => tn("at most %(count)s message a day", "at most %(count)s messages a day", Number(cap))],
  [/^hourly_cap (\d+)$/, ([cap]) => tn("at most %(count)s message an hour", "at most %(count)s messages an hour", Number(cap))],
  [/^paused by (.+)$/, ([who]) => t("paused by %(who)s", { who: person(who) })],
  [/^delay ([\d.]+)(?: jitter ([\d.]+))?$/, ([delay, jitter]) => (jitter ? t("a pause of %(from)s to %(to)s after each message", { from: duration(Number(delay)), to: duration(Number(delay) + Number(jitter)) })
    : Number(delay) ? t("a pause of %(time)s after each message", { time: duration(Number(delay)) }) : t("no pause between messages"))],
  [/^receipt_wait ([\d.]+)$/, ([wait]) => t("its receipt may still come, for %(time)s", { time: duration(Number(wait)) })],
  [/^recipient_gap ([\d.]+)/, ([gap]) => t("at least %(time)s between two messages to one person", { time: duration(Number(gap)) })],
  [/^warm_up (\d+)x([\d.]+)\.\.(\d+)(?:.*?\bday (\d+))?/, ([first, factor, most, day]) => [
    t("new contacts a day: %(first)s at first, %(factor)s times as many each day, at most %(most)s", { first: number(Number(first)), factor: number(Number(factor)), most: number(Number(most)) }),
    day && t("this is day %(day)s", { day })].filter(Boolean).join("; ")],
  [/^(?:window )?(low|normal|high|urgent)=([\d:, -]+) (\S+)$/, ([priority, hours, zone]) => t("priority %(priority)s: %(hours)s, time of %(zone)s", { priority: t(priority), hours: hours.replaceAll("-", "–"), zone: zone.split("/").at(-1).replaceAll("_", " ") })],
];

//: What WhatsApp decides is no rule of ours.
const NO_RULE = /^(cold_refused|cold_held|no consumer is running|the broker does not tell)/;

/** The rule as a person says it who may change it; one that is not known stays as it is. */
export function ruleWords(rule) {
  if (NO_RULE.test(rule ?? "")) return "";
  for (const [pattern, words] of RULES) {
    const found = pattern.exec(rule ?? "");
    if (found) return words(found.slice(1));
  }
  return said(rule ?? "");
}

/** The same as a line of its own. */
export function ruleLine(rule) {
  if (INSTEAD[rule]) return INSTEAD[rule];
  if (senderTrouble({ rule })) return `${senderTrouble({ rule })}.`;
  const words = ruleWords(rule);
  if (/^paused by /.test(rule ?? "")) return capital(words);
  return words ? t("Rule: %(rule)s", { rule: words }) : "";
}

/** What happens when messages are released, in plain words. */
export function releaseWords(reason) {
  if (reason === "cold_held") return t("One message to a new contact is tried now, then the others at the usual pace. If WhatsApp refuses again, they are held again. Trying too often can get the number banned.");
  return t("Each of them goes back into the queue and is looked at again. What its rule allows by now is sent at the usual pace; the rest is held again, with a new time.");
}
