// How far the lane is in sending what came since it was last empty.

import { h } from "./dom.js";
import { ago, duration, number } from "./format.js";
import { t } from "./i18n.js";

export class Drain {
  #sent = 0;
  #since = null;
  #status = null;

  constructor(place) {
    this.place = place;
  }

  /** Learn from the last hour what was sent since the lane was empty. */
  learn(buckets) {
    const emptied = buckets.findLastIndex((bucket) => bucket.waiting === 0);
    const after = buckets.slice(emptied + 1);
    this.#sent = after.reduce((sum, bucket) => sum + bucket.sent, 0);
    this.#since = emptied < 0 ? null : after[0]?.start ?? null;
    this.#draw();
  }

  /** One more. */
  sent() {
    this.#sent += 1;
    this.#draw();
  }

  show(status) {
    this.#status = status;
    this.#draw();
  }

  #draw() {
    const left = this.#status ? this.#status.queue_length + this.#status.retrying : 0;
    this.place.hidden = !left;
    if (!left) return;
    const all = this.#sent + left;
    const since = this.#since ? t("since the queue was last empty, %(time)s", { time: ago(this.#since) }) : t("in the last hour");
    this.place.replaceChildren(
      h("p", { class: "drain-words" },
        h("span", {}, h("b", {}, t("%(sent)s of %(all)s sent", { sent: number(this.#sent), all: number(all) })), ` ${since}`),
        h("span", {}, this.#status.estimated_time === null ? "" : t("about %(time)s to go", { time: duration(this.#status.estimated_time) }))),
      h("progress", { max: all, value: this.#sent, "aria-label": t("Sent since the queue was last empty") }));
  }
}
