// What the page does not know, or knows to be wrong. A status that hides this is no status.

import { h } from "./dom.js";
import { clock, duration, number } from "./format.js";
import { t } from "./i18n.js";

//: Seconds that the history may be behind, and the page without news, before it is worth a word.
const BEHIND = 5;
const STALE = 15;

const WHAT = { waiting: t("waiting"), failed: t("dead letters"), retrying: t("retrying"), scheduled: t("scheduled") };

/** What is shown on top: each an element; none when all is well. */
export function notices(status, state, age) {
  const told = [];
  const past = status.history ?? {};
  if (state === "lost") told.push([t("No connection since %(time)s. The numbers below are from then.", { time: clock(Date.now() / 1000 - age) }), "bad"]);
  else if (age > STALE) told.push([t("No news for %(time)s.", { time: duration(age) }), ""]);
  if (past.trouble) told.push([t("The history does not go on: %(why)s", { why: past.trouble }), "bad"]);
  if (past.behind_seconds > BEHIND) told.push([t("The history is %(time)s behind the broker: lists and charts miss what happened since.", { time: duration(past.behind_seconds) }), ""]);
  const differing = Object.entries(past.differences ?? {}).filter(([, by]) => by);
  if (differing.length && past.caught_up !== false) told.push([t("Broker and history differ: %(what)s. The counters are the broker’s.", { what: differing.map(([what, by]) => difference(what, by)).join(", ") }), ""]);
  for (const gap of past.gaps ?? []) told.push([t("The history has a gap: %(gap)s", { gap }), ""]);
  return told.map(([words, tone]) => h("p", { class: tone ? `notice ${tone}` : "notice" }, words));
}

const difference = (what, by) => `${WHAT[what] ?? what} ${by > 0 ? "+" : "−"}${number(Math.abs(by))}`;

/** One quiet line at the end of the page: how old what is shown is. */
export function honesty(status, age) {
  const past = status.history ?? {};
  const agree = Object.values(past.differences ?? {}).every((by) => !by);
  const parts = [
    age < 2 ? t("Fresh from the broker.") : t("Read from the broker %(time)s ago.", { time: duration(age) }),
    past.caught_up === false ? t("The history is still reading.") : agree ? t("Broker and history agree.") : "",
    past.offset >= 0 ? t("Journal entry %(n)s.", { n: number(past.offset) }) : "",
  ];
  return parts.filter(Boolean).join(" ");
}
