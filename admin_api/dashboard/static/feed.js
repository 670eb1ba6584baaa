// The latest events, newest first, as short sentences.

import { $, h } from "./dom.js";
import { rowsOf } from "./feed_rows.js";
import { clock, duration, full, number, phone } from "./format.js";
import { reasonWord } from "./hold_words.js";
import { t, tn } from "./i18n.js";
import { isOutage } from "./vocabulary.js";
import { className, deliveryWords, eventWords, messageLink, person } from "./words.js";

const ROWS = 30;
//: Events that are kept: a clearing tells of each of its messages, and they are one row.
const EVENTS = 600;
//: Milliseconds in which what comes together is drawn once.
const TOGETHER = 200;

//: Seconds; a shorter send is not told shorter.
const SHORTEST = 0.1;

const hover = matchMedia("(hover: hover)");

/** What an event's details add, in words. */
function detailWords({ details = {}, source, name }) {
  if (name === "lane.cleared" || name === "dead.purged") return tn("%(count)s message", "%(count)s messages", (details.queued ?? details.count ?? 0) + (details.failed ?? 0));
  if (name === "undo.done") return t("%(n)s back", { n: number(details.restored ?? 0) });
  if (name.startsWith("job.")) return details.done === undefined ? "" : t("%(done)s of %(all)s", { done: number(details.done), all: number(details.selected) });
  if (name.startsWith("audit.")) return [person(source), details.action].filter(Boolean).join(" · ");
  return name.startsWith("lane.") ? person(source) : "";
}

/** How an attempt stands, in words. */
function attemptWords({ name, at, began, delivery }) {
  switch (delivery ? "delivery" : name) {
    case "delivery": return deliveryWords(delivery)[0];
    case "outcome.sending": return t("being sent");
    case "outcome.sent": return began ? t("sent in %(time)s", { time: duration(Math.max(SHORTEST, at - began)) }) : t("sent");
    case "outcome.retrying": return t("failed, will be tried again");
    case "outcome.dead": return t("given up");
    case "outcome.uncertain": return t("no answer, may have arrived");
    default: return t("attempt failed");
  }
}

const who = (event) => messageLink(event.message_id, phone(event.phone_number) || undefined);

function titleOf(name, { reason, status }) {
  if (name === "outcome.held" && reason) return t("Held: %(why)s", { why: reasonWord(reason) });
  return name === "receipt.status" ? deliveryWords(status)[0] : eventWords(name)[0];
}

/** [first line, second line] of a row. */
function lines({ kind, name, event, from, at, began, count, failure, delivery }) {
  if (kind === "attempt" && count > 1) {
    return [tn("%(count)s attempt, %(why)s, %(from)s–%(to)s", "%(count)s attempts, %(why)s, %(from)s–%(to)s", count, { why: className(failure).toLowerCase(), from: clock(from), to: clock(at) }), ""];
  }
  if (kind === "attempt") {
    const due = name === "outcome.retrying" && event.details?.due_at ? t("next attempt at %(time)s", { time: clock(event.details.due_at) }) : "";
    return [[who(event), event.source_service && ` · ${event.source_service}`, ` · ${attemptWords({ name, at, began, delivery })}`],
      name === "outcome.sent" ? "" : [failure && className(failure), due].filter(Boolean).join(" · ")];
  }
  const words = titleOf(name, event.details ?? {});
  if (count > 1) return [[words, " · ", tn("%(count)s message", "%(count)s messages", count)], ""];
  return event.message_id ? [[who(event), event.source_service && ` · ${event.source_service}`], words] : [words, detailWords(event)];
}

const toneOf = ({ name, kind, failure, count, delivery, event }) => (delivery || name === "receipt.status" ? deliveryWords(delivery ?? event.details?.status)[1] : kind === "attempt" && (count > 1 || isOutage(failure)) && name !== "outcome.sent" && name !== "outcome.dead" ? "wait" : eventWords(name)[1]);

function line(row, isFresh) {
  const [what, more] = lines(row);
  return h("li", { class: isFresh ? "fresh" : null, "data-tone": toneOf(row), "data-key": row.key, "data-name": row.name }, h("time", { datetime: new Date(row.at * 1000).toISOString(), title: full(row.at) }, clock(row.at)),
    h("div", {}, h("p", { class: "what" }, h("span", {}, what)), more && h("p", { class: "muted" }, more)));
}

/** The list of the latest events. */
export class Feed {
  #events = [];
  #known = new Set();
  #timer = 0;

  constructor(place) {
    this.place = place;
    place.append(h("li", { class: "feed-empty muted" }, t("Waiting for the first event …")));
    // Rows do not move away from under the pointer.
    place.addEventListener("pointerleave", () => this.#later());
  }

  /** Take an event that just happened, or, when it is not `fresh`, one from before. */
  add(event, { fresh = true } = {}) {
    this.#events.push(event);
    if (this.#events.length > 2 * EVENTS) this.#events = this.#events.slice(-EVENTS);
    if (!fresh) rowsOf([event]).forEach((row) => this.#known.add(row.key));
    this.#later();
  }

  #later() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      if (!(hover.matches && this.place.matches(":hover"))) this.#draw();
    }, TOGETHER);
  }

  #draw() {
    const rows = rowsOf(this.#events).slice(0, ROWS);
    if (!rows.length) return;
    const held = this.place.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    // All anew: a row that is pushed down would count as a jump of the page.
    this.place.replaceChildren(...rows.map((row) => line(row, !this.#known.has(row.key))));
    rows.forEach((row) => this.#known.add(row.key));
    if (held) $(`a[href="${CSS.escape(held)}"]`, this.place)?.focus({ preventScroll: true });
  }
}
