// The reasons why messages wait, one row each: how many, until when, by which rule, and a button that ends it.

import { may, need } from "./access.js";
import { onPress } from "./action.js";
import { address, get } from "./api.js";
import { block } from "./availability.js";
import { empty, h, say } from "./dom.js";
import { atTime, number } from "./format.js";
import { canRelease, reasonWord, ruleLine } from "./hold_words.js";
import { capital, t } from "./i18n.js";
import { remaining } from "./remaining.js";

const EVERY = 1000;
//: The state of the messages that wait for a reason, where it is not “waiting”.
const STATES = { __proto__: null, scheduled: "scheduled", retry: "retrying" };
const MINUTE = 60;

/** When the next is released and when the last, in words: [next, last]; empty where nobody can tell. Pure. */
export function releaseTimes({ next_release: next, last_release: last, count }, now = Date.now() / 1000) {
  if (!next || next <= now) return ["", ""];
  const several = count > 1 && last > next + MINUTE;
  return [t("next %(time)s", { time: atTime(next, now) }), several ? t("last %(time)s", { time: atTime(last, now) }) : ""];
}

class Row {
  #count = h("b", { class: "hold-count" });
  #when = h("p", { class: "hold-when" });
  #rule = h("p", { class: "hold-rule" });
  #job = h("div", { class: "hold-job" });
  #drawn = "";

  constructor(reason, { lane, release }) {
    this.reason = reason;
    this.button = canRelease(reason) ? onPress(h("button", { type: "button", class: "button small", "data-role": "operator", disabled: !may("operator"), title: may("operator") ? null : need("operator"), "aria-label": t("Release: %(reason)s", { reason: reasonWord(reason) }) }, t("Release …")), () => release(this.known)) : null;
    this.element = h("li", { class: "hold-row", "data-reason": reason }, this.#count,
      h("div", { class: "hold-about" }, h("p", { class: "hold-name" }, h("a", { href: address("/waiting", { lane, state: STATES[reason] ?? (this.button ? "held" : "waiting") }) }, capital(reasonWord(reason)))), this.#when, this.#rule, this.#job), this.button);
  }

  show(known, isOld) {
    this.known = known;
    say(this.#count, number(known.count));
    say(this.#rule, ruleLine(known.rule));
    const [next, last] = isOld ? ["", ""] : releaseTimes(known);
    const drawn = JSON.stringify([next, last, known.next_release]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#when.replaceChildren(...(next ? [next, " (", remaining(known.next_release), ")", last && `, ${last}`].filter(Boolean) : []));
  }

  /** Show how far the release is, until it is over; until then it cannot be begun again. */
  async follow(jobId, done) {
    const held = this.known.count;
    const bar = h("progress", { max: 1, value: 0, "aria-label": t("Progress of the release") });
    const words = h("span", {});
    this.#job.replaceChildren(words, bar);
    this.element.setAttribute("data-running", "");
    block(this.button, t("The release is running."));
    try {
      for (;;) {
        const job = await get(`/jobs/${encodeURIComponent(jobId)}`);
        // The job finds them one by one; how many there were was known before.
        const all = Math.max(1, held, job.selected);
        Object.assign(bar, { max: all, value: job.done });
        say(words, t("%(done)s of %(all)s released", { done: number(job.done), all: number(all) }));
        if (job.state !== "running") return done(job);
        await new Promise((resolve) => { setTimeout(resolve, EVERY); });
      }
    } finally {
      this.#job.replaceChildren();
      this.element.removeAttribute("data-running");
      block(this.button, "");
    }
  }
}

export class HoldRows {
  #rows = new Map();
  #list = h("ul", { class: "hold-rows" });

  /** `release(known)` is called by the button of a row. */
  constructor(place, { lane, release }) {
    Object.assign(this, { place, lane, release });
  }

  /** The reasons as the API tells them; null where nobody knows them. */
  show(reasons, isOld = false) {
    const shown = (reasons ?? []).filter((known) => known.count > 0 || this.#rows.get(known.reason)?.element.querySelector("progress"));
    const kept = new Set(shown.map(({ reason }) => reason));
    for (const reason of [...this.#rows.keys()]) if (!kept.has(reason)) this.#rows.delete(reason);
    for (const known of shown) {
      if (!this.#rows.has(known.reason)) this.#rows.set(known.reason, new Row(known.reason, this));
      this.#rows.get(known.reason).show(known, isOld);
    }
    const elements = shown.map(({ reason }) => this.#rows.get(reason).element);
    if (elements.length !== this.#list.children.length || elements.some((element, index) => element !== this.#list.children[index])) this.#list.replaceChildren(...elements);
    if (elements.length) this.#put(this.#list);
    else if (reasons) this.#put(this.#nothing ??= empty(t("Nothing waits"), t("What waits is listed here with its reason.")));
    else this.#put(this.#unknown ??= empty(t("Not known"), t("It is shown as soon as the connection is back.")));
  }

  #nothing;
  #unknown;

  #put(element) {
    if (element.parentElement !== this.place) this.place.replaceChildren(element);
  }

  row(reason) {
    return this.#rows.get(reason);
  }
}

