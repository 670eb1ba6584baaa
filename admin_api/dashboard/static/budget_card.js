// What the lane may still send in this hour and on this day, and to new contacts.

import { h, say } from "./dom.js";
import { atTime, number } from "./format.js";
import { t, tn } from "./i18n.js";
import { remaining } from "./remaining.js";
import { warmUpCurve } from "./warm_up_curve.js";

const LINES = { hour: t("This hour"), day: t("Today"), cold: t("New contacts today") };

/** One line of the budget in words: [what was sent, what is left]. Pure. */
export function lineWords({ used, cap, left }) {
  // Before its consumer tells, nobody knows what a lane has sent.
  const sent = used === null || used === undefined ? "–" : tn("%(count)s sent", "%(count)s sent", used);
  if (!cap) return [sent, t("no limit")];
  if (sent === "–") return [sent, t("at most %(cap)s", { cap: number(cap) })];
  return [sent, t("%(left)s of %(cap)s left", { left: number(left ?? Math.max(0, cap - used)), cap: number(cap) })];
}

class Line {
  #sent = h("b", {});
  #left = h("span", { class: "muted" });
  #bar;

  constructor(name) {
    this.#bar = h("progress", { max: 1, value: 0, "aria-label": LINES[name] });
    this.element = h("div", { class: "budget-line", "data-line": name },
      h("p", { class: "budget-words" }, h("span", {}, LINES[name]), this.#sent, this.#left), this.#bar);
    this.show(null);
  }

  /** The figures; null where nobody knows them. */
  show(figures) {
    const [sent, left] = figures ? lineWords(figures) : ["–", ""];
    say(this.#sent, sent);
    say(this.#left, left);
    const cap = figures?.cap || 0;
    const used = figures?.used ?? 0;
    // Its place stays where there is no limit: nothing moves when one is set.
    this.#bar.style.visibility = cap ? "" : "hidden";
    this.#bar.max = cap || 1;
    this.#bar.value = cap ? Math.min(used, cap) : 0;
    this.element.toggleAttribute("data-full", cap > 0 && used >= cap);
  }
}

export class BudgetCard {
  #lines = Object.fromEntries(Object.keys(LINES).map((name) => [name, new Line(name)]));
  #curve = h("div", { class: "budget-curve" });
  #resets = h("p", { class: "hint" });
  #drawn = "";

  constructor(place) {
    place.replaceChildren(...Object.values(this.#lines).map((line) => line.element), this.#resets, this.#curve);
  }

  /** The budget as the API tells it; null where nobody knows it. `isOld` when what is known may be over. */
  show(budget, isOld = false) {
    for (const [name, line] of Object.entries(this.#lines)) line.show(budget?.[name] ?? null);
    const drawn = JSON.stringify([budget?.warm_up, budget?.resets_at, isOld]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const resets = budget?.resets_at && !isOld;
    this.#resets.replaceChildren(...(resets ? [t("The day is counted anew %(time)s", { time: atTime(budget.resets_at) }), " (", remaining(budget.resets_at), ")"] : []));
    this.#curve.replaceChildren(...(budget?.warm_up?.caps?.length ? [warmUpCurve(budget.warm_up)] : []));
  }
}
