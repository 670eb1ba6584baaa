// How far the lane is in sending what came since it was last empty.

import { h, say } from "./dom.js";
import { duration, moment, number } from "./format.js";
import { t } from "./i18n.js";

export class Drain {
  #sent = 0;
  #isCounted = false;
  #status = null;
  #done = h("b", {});
  #rest = h("span", {});
  #bar = h("progress", { "aria-label": t("Sent since the queue was last empty"), max: 1, value: 0 });

  constructor(place) {
    place.append(h("p", { class: "drain-words" }, this.#done, this.#rest), this.#bar);
  }

  /** Learn once, from the last hour, what was sent since the lane was empty; from then on it is counted. */
  learn(buckets) {
    if (this.#isCounted) return;
    this.#isCounted = true;
    const emptied = buckets.findLastIndex((bucket) => bucket.waiting === 0);
    this.#sent += buckets.slice(emptied + 1).reduce((sum, bucket) => sum + bucket.sent, 0);
    this.#draw();
  }

  /** One more. */
  sent() {
    this.#sent += 1;
    this.#draw();
  }

  /** A new reading of the status; null when nobody knows it. */
  show(status) {
    this.#status = status;
    if (status && !leftIn(status)) {
      this.#sent = 0;
      this.#isCounted = true;
    }
    this.#draw();
  }

  #draw() {
    const left = this.#status ? leftIn(this.#status) : 0;
    const all = this.#sent + left;
    // The place stays when there is nothing to tell: what is below must not jump.
    this.#bar.style.visibility = left ? "" : "hidden";
    this.#bar.max = all || 1;
    this.#bar.value = this.#sent;
    say(this.#done, left ? t("%(sent)s of %(all)s sent", { sent: number(this.#sent), all: number(all) }) : "");
    say(this.#rest, left ? toGo(this.#status) : lastSent(this.#status));
  }
}

const leftIn = (status) => status.queue_length + status.retrying;
const lastSent = (status) => (status?.last_sent_at ? t("Last sent: %(time)s", { time: moment(status.last_sent_at) }) : "");

/** How long it will still take; nothing where nobody can tell. */
function toGo(status) {
  if (status.paused) return status.estimate_after_resume ? t("after Resume: about %(time)s", { time: duration(status.estimate_after_resume) }) : "";
  return status.estimated_time === null ? "" : t("about %(time)s to go", { time: duration(status.estimated_time) });
}
