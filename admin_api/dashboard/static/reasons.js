// Why the next message has not been sent yet, in words. Pure: status in, words out.

import { duration, moment } from "./format.js";
import { t, tn } from "./i18n.js";

const code = (text) => ({ code: text });

const paused = (status) => {
  const since = status.paused_at ? moment(status.paused_at) : "?";
  return status.paused_by
    ? t("By %(who)s, since %(time)s. Nothing is sent until somebody resumes.", { who: status.paused_by, time: since })
    : t("Since %(time)s. Nothing is sent until somebody resumes.", { time: since });
};

const REASONS = {
  due: () => [t("Due now"), [t("Nothing holds the next message back.")]],
  pause: (status, left) => [
    status.queue_length > status.in_flight ? t("Next message in %(time)s", { time: left }) : t("The lane rests for %(time)s", { time: left }),
    [status.delay ? t("The pause of %(time)s between two sends is running.", { time: duration(status.delay) }) : t("The pause between two sends is running.")]],
  sending: () => [t("Sending now"), [t("The provider has the message and has not answered yet.")]],
  retry: (status, left) => [t("Next attempt in %(time)s", { time: left }), [t("What is left failed before; it is tried again when its time has come.")]],
  throttled: (status, left) => [t("Held back for %(time)s", { time: left }), [t("The provider asked for silence: too many messages. No attempt is lost.")]],
  unavailable: (status, left) => [t("The provider does not answer"), [t("The lane holds its messages and asks again in %(time)s. No attempt is lost.", { time: left })]],
  paused: (status) => [t("Paused"), [paused(status)]],
  "no-consumer": () => [t("No consumer is running"), [t("Messages wait safely, but nobody sends them. Start one on the server:"), " ", code("antrian consume")]],
  "nothing-waits": (status) => [t("Nothing waits"), [status.scheduled
    ? tn("%(count)s message is scheduled for later.", "%(count)s messages are scheduled for later.", status.scheduled)
    : t("The next message goes out at once.")]],
};

/** [headline, [words or {code}]] for a status; `left` is what is left of the wait, in seconds. */
export function explain(status, left) {
  const words = left === null || left <= 0 ? t("a moment") : duration(Math.ceil(left));
  return (REASONS[status.next_send_reason] ?? REASONS.due)(status, words);
}

/** The same without the seconds, so that a live region speaks only when something changed. */
export const spoken = (status) => `${status.next_send_reason}|${status.paused_by ?? ""}`;
