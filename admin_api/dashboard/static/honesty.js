// What the history does not know, or counts otherwise than the broker. A status that hides this is no status.

import { duration, number } from "./format.js";
import { said, t } from "./i18n.js";
import { sessionWords } from "./session_words.js";

//: Seconds that the history may be behind, and a difference may last, before it is worth a word: counters are read
//: before the journal is, so small differences come and go while messages move.
const BEHIND = 10;
const LASTING = 5;

const WHAT = { __proto__: null, waiting: t("waiting"), failed: t("dead letters"), retrying: t("retrying"), scheduled: t("scheduled") };

/** What the history lacks: [words, tone] each; none when all is well. */
export function gapsOf(status) {
  const past = status?.history ?? {};
  const told = [];
  if (past.trouble) told.push([t("The history has stopped: %(why)s", { why: said(past.trouble) }), "bad"]);
  if (past.behind_seconds > BEHIND) told.push([t("The history is %(time)s behind the broker: lists and charts miss what happened since.", { time: duration(past.behind_seconds) }), ""]);
  for (const gap of past.gaps ?? []) told.push([t("The history has a gap: %(gap)s", { gap: said(gap) }), ""]);
  return told;
}

/**
 * Since when the same difference has been there: {key, since}.
 *
 * `before` is what this returned for the status before, null for the first.
 */
export function lasting(before, status) {
  const past = status.history ?? {};
  const differing = Object.entries(past.differences ?? {}).filter(([, by]) => by);
  const key = past.caught_up === false ? "" : differing.map(([what, by]) => difference(what, by)).join(", ");
  if (!key) return { key: "", since: status.at };
  if (past.differs_since) return { key, since: past.differs_since };
  return before?.key === key ? before : { key, since: status.at };
}

const difference = (what, by) => `${WHAT[what] ?? what} ${by > 0 ? "+" : "−"}${number(Math.abs(by))}`;

/** One quiet line at the end of the page: how old what is shown is, and whether broker and history agree. */
export function honesty(status, age, differs, isOld) {
  const past = status.history ?? {};
  const isLasting = differs?.key && status.at - differs.since >= LASTING;
  const parts = [
    age < 2 ? t("Fresh from the broker.") : t("Read from the broker %(time)s ago.", { time: duration(age) }),
    isOld ? "" : past.caught_up === false ? t("The history is still reading.")
      : isLasting ? t("Broker and history differ: %(what)s. The counters are the broker’s.", { what: differs.key }) : t("Broker and history agree."),
  ];
  return parts.filter(Boolean).join(" ");
}

/** How the lane is run: provider, sender, delay, consumers. */
export function facts(status) {
  const delay = status.delay === null || status.delay === undefined ? ""
    : status.jitter ? t("One message every %(from)s to %(to)s", { from: duration(status.delay), to: duration(status.delay + status.jitter) })
      : status.delay ? t("One message every %(time)s", { time: duration(status.delay) }) : t("No pause between messages");
  const consumers = status.running === false ? t("No consumer") : status.standby ? t("Consumer running, another stands by") : status.running ? t("Consumer running") : "";
  return [
    status.provider && t("Provider: %(name)s", { name: status.provider }),
    status.sender && t("Sender: %(number)s", { number: status.sender }),
    status.session && t("Connection: %(state)s", { state: sessionWords(status.session.state)[0] }),
    delay, consumers,
  ].filter(Boolean).join(" · ");
}
