// What holds a lane's messages: by reason, the budget of the day, and WhatsApp's refusal of new contacts.

import { may, need } from "./access.js";
import { onPress } from "./action.js";
import { get, post, Problem } from "./api.js";
import { BudgetCard } from "./budget_card.js";
import { openDialog } from "./dialog.js";
import { $, h, say } from "./dom.js";
import { atTime } from "./format.js";
import { HoldRows } from "./hold_rows.js";
import { reasonWord, releaseWords } from "./hold_words.js";
import { capital, said, t, tn } from "./i18n.js";
import { isRelease, releasedReasons } from "./jobs.js";
import { onChange } from "./news.js";
import { remaining } from "./remaining.js";
import { settle } from "./settle.js";
import { toast } from "./toast.js";

const AFTER_NEWS = 2000;
const EVERY = 15000;

/** How a release ended, in one sentence. Pure. */
export function releaseEnd(job) {
  if (job.state === "failed" || job.state === "interrupted") return t("The release ended early: %(why)s", { why: capital(said(job.detail)) || t("it was interrupted.") });
  return tn("%(count)s message is back in the queue.", "%(count)s messages are back in the queue.", job.done);
}

export class Holds {
  #known = null;
  #isOld = false;
  #rows;
  #budget = new BudgetCard($("#budget"));
  #coldDrawn = "";
  #rounds = 0;

  constructor(lane) {
    this.lane = lane;
    this.#rows = new HoldRows($("#holds"), { lane, release: (known) => this.#ask(known) });
    onChange(() => this.refresh(), { after: AFTER_NEWS });
    setInterval(() => { if (!document.hidden) this.refresh(); }, EVERY);
  }

  /** Ask anew; between two answers what is shown stays. */
  async refresh() {
    this.#rounds += 1;
    const mine = this.#rounds;
    try {
      const known = await get("/holds", { lane: this.lane });
      if (mine !== this.#rounds) return;
      this.#known = known;
      this.#draw();
    } catch (error) {
      // The header says whether broker and server are there; what was known before is grey by then.
      if (!(error instanceof Problem)) throw error;
      if (!this.#known) this.#draw();
    }
  }

  /** What the lane itself waits for, in the words of the headline. */
  tellLane(words) {
    say($("#lane-hold"), words);
  }

  /** Forecasts hold as long as what is shown is new. */
  setOld(isOld) {
    if (isOld === this.#isOld) return;
    this.#isOld = isOld;
    this.#draw();
    if (!isOld) this.refresh();
  }

  #draw() {
    this.#rows.show(this.#known?.reasons ?? null, this.#isOld);
    this.#budget.show(this.#known?.budget ?? null, this.#isOld);
    this.#drawCold();
  }

  #drawCold() {
    const until = this.#isOld ? null : this.#known?.cold_held_until;
    const isHeld = Boolean(until) && until > Date.now() / 1000;
    const waiting = this.#known?.reasons.find(({ reason }) => reason === "cold_held")?.count ?? 0;
    const drawn = isHeld ? `${until} ${waiting}` : "";
    if (drawn === this.#coldDrawn) return;
    const isNew = !this.#coldDrawn;
    this.#coldDrawn = drawn;
    $("#cold-hold").hidden = !isHeld;
    if (!isHeld) return;
    say($("#cold-hold-count"), waiting ? tn("%(count)s message to a new contact waits and is tried again by itself.", "%(count)s messages to new contacts wait and are tried again by themselves.", waiting) : "");
    $("#cold-hold-end").replaceChildren(t("They are tried again %(time)s", { time: atTime(until) }), " (", remaining(until), ")");
    if (isNew) $("#cold-hold-acts").replaceChildren(this.#tryButton());
  }

  #tryButton() {
    return onPress(h("button", { type: "button", class: "button", "data-role": "operator", disabled: !may("operator"), title: may("operator") ? null : need("operator") }, t("Try again now …")),
      () => this.#ask(this.#known.reasons.find(({ reason }) => reason === "cold_held") ?? { reason: "cold_held", count: 0 }));
  }

  /** Ask first, and say what happens; then it runs as a job, and its row shows how far it is. */
  #ask({ reason, count }) {
    say($("#release-title"), reason === "cold_held" ? t("Try new contacts again now") : t("Release held messages"));
    say($("#release-count"), [count ? tn("%(count)s message", "%(count)s messages", count) : "", reasonWord(reason)].filter(Boolean).join(" · "));
    say($("#release-words"), releaseWords(reason));
    settle($("#release-form button.strong"));
    openDialog("release-dialog", async () => {
      const job = await post("/holds/release", { ...(this.lane ? { lane: this.lane } : {}), reason });
      toast(t("The release has begun."));
      this.#follow(reason, job.job_id).catch(() => {});
    });
  }

  /** Releases that were begun before the page was opened. */
  async followRunning() {
    const { items } = await get("/jobs").catch(() => ({ items: [] }));
    for (const job of items.filter((one) => one.state === "running" && isRelease(one))) {
      for (const reason of releasedReasons(job)) this.#follow(reason, job.job_id).catch(() => {});
    }
  }

  async #follow(reason, jobId) {
    const done = (job) => {
      toast(releaseEnd(job), { bad: job.state === "failed" || job.state === "interrupted" });
      return this.refresh();
    };
    const row = this.#rows.row(reason);
    if (row) await row.follow(jobId, done);
    else await this.refresh();
  }
}

