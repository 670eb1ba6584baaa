// A message's life line: everything that happened, oldest first, with the time between.

import { h } from "./dom.js";
import { duration, full, moment } from "./format.js";
import { t } from "./i18n.js";
import { className, eventWords, messageLink } from "./words.js";

//: Seconds between two entries from which on the time between them is worth a word.
const WORTH = 1;

const NUMBERED = {
  "outcome.sending": (values) => t("Attempt %(n)s begins", values),
  "outcome.failed": (values) => t("Attempt %(n)s failed", values),
};

function title(entry) {
  const [words, tone] = eventWords(entry.name);
  const numbered = entry.attempt && NUMBERED[entry.name];
  return [numbered ? numbered({ n: entry.attempt }) : words, tone];
}

function details({ details = {}, name, source }) {
  const lines = [];
  if (details.failure_class || details.code) lines.push([className(details.failure_class ?? "unknown"), details.code].filter(Boolean).join(" · "));
  if (details.detail) lines.push(details.detail);
  if (details.provider_id) lines.push(t("Provider’s id: %(id)s", { id: details.provider_id }));
  if (details.due_at) lines.push(t("due %(time)s", { time: moment(details.due_at) }));
  if (details.note) lines.push(`“${details.note}”`);
  const by = name.startsWith("message.q") || name.startsWith("message.s") ? t("published by %(who)s", { who: source }) : t("by %(who)s", { who: source });
  const copy = details.copy && h("p", { class: "life-detail" }, t("as the edited copy"), " ", messageLink(details.copy));
  return [...lines.map((line) => h("p", { class: "life-detail" }, line)), copy, source && h("p", { class: "life-when" }, by)];
}

/** The list. */
export function lifeLine(entries) {
  if (!entries.length) return h("p", { class: "muted" }, t("The journal no longer knows what happened."));
  return h("ol", { class: "life" }, entries.filter((entry) => entry.name !== "outcome.barrier").map((entry, place, all) => {
    const [words, tone] = title(entry);
    const gap = place ? entry.at - all[place - 1].at : 0;
    return h("li", { "data-tone": tone }, h("p", { class: "life-what" }, words),
      h("p", { class: "life-when" }, h("time", { datetime: new Date(entry.at * 1000).toISOString(), title: full(entry.at) }, moment(entry.at)), gap >= WORTH && h("span", { class: "life-gap" }, `+${duration(gap)}`)),
      details(entry));
  }));
}
