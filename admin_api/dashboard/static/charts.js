// The dashboard's four charts and the numbers behind them.

import { get } from "./api.js";
import { Chart } from "./chart.js";
import { duration } from "./format.js";
import { t } from "./i18n.js";
import { priorityKey, priorityWord } from "./words.js";

const PRIORITIES = ["urgent", "high", "normal", "low"];

/** The mean wait of one priority in a bucket; the broker's numbers between two names belong to the lower one. */
function wait(bucket, priority) {
  const found = Object.entries(bucket.wait_mean ?? {}).filter(([numberOf]) => priorityKey(numberOf) === priority);
  return found.length ? found.reduce((sum, [, mean]) => sum + mean, 0) / found.length : null;
}

const perStretch = (step) => (step === 60 ? t("Sent per minute") : t("Sent per %(time)s", { time: duration(step) }));

export class Charts {
  constructor(place) {
    this.place = place;
    this.step = null;
  }

  #make(step) {
    this.step = step;
    this.charts = [
      new Chart({ title: perStretch(step), about: t("Messages that the provider accepted."), kind: "bars", series: [{ key: "sent", name: t("sent"), value: (bucket) => bucket.sent }], emptyWords: t("Nothing was sent in this time.") }),
      new Chart({ title: t("Waiting"), about: t("Messages neither sent nor ended otherwise."), kind: "area", series: [{ key: "waiting", name: t("waiting"), value: (bucket) => bucket.waiting }], emptyWords: t("Nothing waited in this time.") }),
      new Chart({ title: t("Failures"), about: t("Attempts that failed, and messages given up."), kind: "bars", series: [{ key: "failed", name: t("failed attempts"), value: (bucket) => bucket.failed }, { key: "dead", name: t("given up"), value: (bucket) => bucket.dead }], emptyWords: t("Nothing failed in this time.") }),
      new Chart({ title: t("Wait from publish to send"), about: t("Mean wait by priority."), kind: "lines", unit: duration, series: PRIORITIES.map((priority) => ({ key: `p-${priority}`, name: priorityWord(priority), value: (bucket) => wait(bucket, priority) })), emptyWords: t("Nothing was sent in this time.") }),
    ];
    this.place.replaceChildren(...this.charts.map((chart) => chart.element));
  }

  /** Fetch and draw; returns the buckets. */
  async refresh(minutes, lane) {
    const { step, buckets } = await get("/analytics", { minutes, lane });
    if (step !== this.step) this.#make(step);
    for (const chart of this.charts) chart.show(buckets, step);
    return buckets;
  }
}
