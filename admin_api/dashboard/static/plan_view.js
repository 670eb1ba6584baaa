// The answer of the planner, drawn: when all is sent, what holds it, how many senders a deadline takes, a new number's weeks.

import { h } from "./dom.js";
import { atTime, duration, number } from "./format.js";
import { reasonWord } from "./hold_words.js";
import { capital, said, t, tn } from "./i18n.js";

/** When it is done, in one sentence. Pure. */
export function doneWords({ finish, seconds }) {
  const [half, late] = [atTime(finish.p50), atTime(finish.p90)];
  const first = t("Probably done %(half)s, after %(time)s.", { half, time: duration(seconds.p50) });
  return half === late ? first : [first, t("Almost surely done %(late)s.", { late })].join(" ");
}

/** What a deadline takes, in one sentence; empty without one. Pure. */
export function sendersWords({ senders_needed: needed }) {
  if (needed === null || needed === undefined) return "";
  if (needed === 0) return t("No number of senders is enough for the deadline.");
  return needed === 1 ? t("One sender is enough for the deadline.") : tn("The deadline takes %(count)s sender.", "The deadline takes %(count)s senders.", needed);
}

function heldBy(plan) {
  const rows = plan.held.filter(({ messages }) => messages > 0);
  if (!rows.length) return null;
  return h("div", {}, h("h3", {}, t("Held up by")), h("ul", { class: "plan-held" }, rows.map((one) => h("li", {},
    h("b", {}, number(one.messages)), " ", capital(reasonWord(one.reason)), one.seconds > 0 && h("span", { class: "muted" }, ` · ${duration(one.seconds)}`)))));
}

function weeks(plan) {
  const shown = (plan.weeks ?? []).filter(({ sent }) => sent > 0);
  if (!shown.length) return null;
  const most = Math.max(...shown.map(({ sent }) => sent));
  const title = t("What a new number would send of them");
  return h("div", {}, h("h3", {}, title), h("ul", { class: "plan-weeks", "aria-label": title }, shown.map(({ week, sent }) => h("li", {},
    h("span", {}, t("Week %(n)s", { n: week })), h("meter", { max: most, value: sent, "aria-hidden": "true" }), h("b", {}, number(sent))))));
}

/** Everything; `brief` leaves out what the planner assumed. */
export function planView(plan, { brief = false } = {}) {
  const senders = sendersWords(plan);
  return h("div", { class: "plan" },
    h("p", { class: "plan-done" }, doneWords(plan)),
    senders && h("p", { class: "plan-senders" }, senders),
    h("div", { class: "plan-parts" }, heldBy(plan), weeks(plan)),
    !brief && plan.assumptions?.length > 0 && h("details", { class: "plan-assumptions" }, h("summary", {}, t("What this assumes")), h("ul", {}, plan.assumptions.map((one) => h("li", {}, capital(said(one)))))));
}
