// The dashboard's four charts and the numbers behind them.

import { Chart } from "./chart.js";
import { duration } from "./format.js";
import { t } from "./i18n.js";
import { priorityWord } from "./words.js";
import { getInZone } from "./zone.js";

const PRIORITIES = ["urgent", "high", "normal", "low"];

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
      new Chart({ title: t("Waiting"), about: t("The most messages that waited at once."), kind: "area", series: [{ key: "waiting", name: t("waiting"), value: (bucket) => bucket.most_waiting }], emptyWords: t("Nothing waited in this time.") }),
      new Chart({ title: t("Failures"), about: t("Attempts that failed, and messages given up."), kind: "bars", series: [{ key: "failed", name: t("failed attempts"), value: (bucket) => bucket.failed }, { key: "dead", name: t("given up"), value: (bucket) => bucket.dead }], emptyWords: t("Nothing failed in this time.") }),
      new Chart({ title: t("Wait from publish to send"), about: t("By priority."), note: t("Half waited no longer than the dot, 95 of 100 no longer than the end of the line."), kind: "ranges", unit: duration, series: PRIORITIES.map((priority) => ({ key: `p-${priority}`, name: priorityWord(priority), value: (bucket) => bucket.waits[priority]?.p50 ?? null, most: (bucket) => bucket.waits[priority]?.p95 })), emptyWords: t("Nothing was sent in this time.") }),
    ];
    this.place.replaceChildren(...this.charts.map((chart) => chart.element));
  }

  /** Fetch and draw; returns the buckets. */
  async refresh(minutes, lane) {
    const { step, buckets } = await getInZone("/analytics", { minutes, lane });
    if (step !== this.step) this.#make(step);
    for (const chart of this.charts) chart.show(buckets, step);
    return buckets;
  }
}
