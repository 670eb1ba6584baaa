// What the queue's own names are called in front of people, and their tone: good, wait, bad or none.

import { h } from "./dom.js";
import { full, moment } from "./format.js";
import { reasonWord } from "./hold_words.js";
import { t } from "./i18n.js";
import { prefix } from "./api.js";
import { person } from "./person.js";
import { vocabulary } from "./vocabulary.js";

export { person };

const spoken = (table) => Object.assign(Object.create(null), Object.fromEntries(Object.entries(table).map(([name, [word, tone]]) => [name, [t(word), tone]])));

const STATES = spoken(vocabulary.states);
const DELIVERIES = spoken(vocabulary.deliveries);
const EVENTS = spoken(vocabulary.events);
const CLASSES = Object.assign(Object.create(null), Object.fromEntries(Object.entries(vocabulary.classes).map(([name, word]) => [name, t(word)])));

const JOBS = {
  __proto__: null,
  running: [t("running"), "good"],
  done: [t("done"), "good"],
  cancelled: [t("cancelled"), ""],
  stopped: [t("stopped after the trial"), "bad"],
  failed: [t("failed"), "bad"],
  interrupted: [t("interrupted"), "bad"],
};

const PRIORITIES = { __proto__: null, low: t("low"), normal: t("normal"), high: t("high"), urgent: t("urgent") };
const NUMBERS = [[10, "urgent"], [9, "high"], [5, "normal"]];

export const states = STATES;
export const deliveryWords = (delivery) => DELIVERIES[delivery] ?? [delivery, ""];
/** What messages can be looked for by: what a provider took is told apart by what became of it. */
export const searchStates = Object.fromEntries(Object.entries(STATES).flatMap(([name, words]) => (name === "sent" ? [[name, words], ...Object.entries(DELIVERIES)] : [[name, words]])));
export const classes = CLASSES;
export const eventWords = (name) => EVENTS[name] ?? [name, ""];
export const className = (name) => CLASSES[name] ?? name;

/** The name of a priority that comes as the broker's number or as its name. */
export function priorityKey(priority) {
  return PRIORITIES[priority] ? priority : NUMBERS.find(([least]) => Number(priority) >= least)?.[1] ?? "low";
}
export const priorityWord = (priority) => PRIORITIES[priorityKey(priority)];

const tag = ([words, tone]) => h("span", { class: "tag", "data-tone": tone }, words);
export const stateTag = (state) => tag(STATES[state] ?? [state, ""]);
export function jobTag(job) {
  if (job.state === "running" && job.cancelling) return tag([t("being cancelled"), "wait"]);
  // A release has no trial: it stopped where another one goes on.
  if (job.state === "stopped" && job.options?.kind === "release") return tag([t("stopped"), ""]);
  return tag(JOBS[job.state] ?? [job.state, ""]);
}
export const priorityTag = (priority) => h("span", { class: "priority", "data-priority": priorityKey(priority) }, priorityWord(priority));

/** The state of a message as lists and its own page tell it: a cancellation that was asked for, an original that was replaced, what holds it, what became of it after a provider took it. */
export function messageState(one, isCancelling) {
  if (one.state === "purged" && one.copied_to) return tag([t("replaced"), ""]);
  if (isCancelling) return tag([t("cancellation requested"), "wait"]);
  if (one.state === "held" && one.hold) return tag([reasonWord(one.hold.reason), "wait"]);
  if (one.state === "sent" && one.delivery) return tag(deliveryWords(one.delivery));
  return stateTag(one.state);
}

/** A time that says more on hover. */
export const when = (seconds) => (seconds === null || seconds === undefined ? "–" : h("time", { datetime: new Date(seconds * 1000).toISOString(), title: full(seconds) }, moment(seconds)));

export const messageHref = (id, place = "message") => `${prefix}/${place}/${encodeURIComponent(id)}`;
export const contactHref = (number) => `${prefix}/contact/${encodeURIComponent(number)}`;
export const shortId = (id) => (id.length > 12 ? `${id.slice(0, 8)}…` : id);
export const messageLink = (id, words, place) => h("a", { href: messageHref(id, place) }, words ?? shortId(id));
