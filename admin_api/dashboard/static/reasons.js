// Why the next message has not been sent yet, in words. Pure: status in, words out.

import { duration, phone } from "./format.js";
import { senderTrouble } from "./hold_words.js";
import { t, tn } from "./i18n.js";
import { code, pausedWords } from "./overall.js";
import { messageLink } from "./words.js";

//: Seconds that an answer may take before the page tells what holds the lane.
const SLOW = 2;

function nothingWaits(status, left) {
  if (status.scheduled) return tn("%(count)s message is scheduled for later.", "%(count)s messages are scheduled for later.", status.scheduled);
  return left ? t("A new message would go out in %(time)s.", { time: left }) : t("A new message would go out at once.");
}

const capped = (words) => (status, left, isCounting) => [isCounting ? t("Sending goes on in %(time)s", { time: left }) : t("Sending goes on soon"), [words, " ", t("Urgent messages leave all the same.")]];

const REASONS = {
  __proto__: null,
  daily_cap: capped(t("As many messages as allowed were sent today.")),
  hourly_cap: capped(t("As many messages as allowed were sent in this hour.")),
  due: () => [t("Due now"), [t("Nothing holds the next message back.")]],
  pause: (status, left) => [
    status.queue_length > status.in_flight ? t("Next message in %(time)s", { time: left }) : t("Ready again in %(time)s", { time: left }),
    [status.delay ? t("The pause of %(time)s between two sends is running.", { time: duration(status.delay) }) : t("The pause between two sends is running.")]],
  sending: () => [t("Sending now"), [t("The provider has the message and has not answered yet.")]],
  retry: (status, left) => [t("Next attempt in %(time)s", { time: left }), [t("What is left failed before and waits for its next attempt.")]],
  throttled: (status, left) => [t("Held back for %(time)s", { time: left }), [t("The provider asked us to wait: too many messages. No attempt is lost.")]],
  unavailable: (status, left) => [senderTrouble(status.hold) || t("The provider does not answer"), [t("Messages are held, and the provider is asked again in %(time)s. No attempt is lost.", { time: left })]],
  paused: (status) => [t("Paused"), [pausedWords(status)]],
  "no-consumer": () => [t("No consumer is running"), [t("Messages wait safely, but none are sent. Start one on the server:"), " ", code("consume")]],
  "nothing-waits": (status, left, isCounting) => (status.held
    ? [t("All that waits is held"), [tn("%(count)s message waits for its time; the reason is below.", "%(count)s messages wait for their time; the reasons are below.", status.held)]]
    : [t("Nothing waits"), [nothingWaits(status, isCounting ? left : "")]]),
};

/** [headline, [words or {code}]] for a status; `left` is what is left of the wait, in seconds, or null. */
export function explain(status, left) {
  const isCounting = left !== null && left > 0;
  const words = isCounting ? duration(Math.ceil(left)) : t("a moment");
  return (REASONS[status.next_send_reason] ?? REASONS.due)(status, words, isCounting);
}

/** The same without the seconds, so that a live region speaks only when something changed. */
export const spoken = (status) => `${status.next_send_reason}|${status.paused_by ?? ""}`;

/** What is being sent, and what it holds up when the answer is slow; empty when nothing is. */
export function sendingWords({ sending, at }) {
  if (!sending) return [];
  const who = messageLink(sending.message_id, phone(sending.phone_number) || undefined);
  const passed = Math.max(0, at - sending.since);
  const left = sending.deadline ? sending.deadline - at : null;
  const source = sending.source ? ` · ${sending.source}` : "";
  const attempt = sending.attempt > 1 ? [" · ", t("attempt %(n)s", { n: sending.attempt })] : [];
  if (passed < SLOW) return [who, source, ...attempt];
  const until = left !== null && left > 0 ? t("given up in %(time)s", { time: duration(Math.ceil(left)) }) : t("for %(time)s", { time: duration(Math.floor(passed)) });
  return [t("Waiting for the answer to"), " ", who, source, ...attempt, `, ${until}`];
}

/** When something is due, seen from the status: “now”, “12 s”, or nothing where nobody can tell. */
export function inWords(seconds) {
  if (seconds === null || seconds === undefined) return "—";
  return seconds < 1 ? t("now") : duration(seconds);
}

