// Jobs, which are re-drives of many dead letters and releases of held messages: how far they are, and a way to end them.

import { may, need } from "./access.js";
import { onPress } from "./action.js";
import { get, post } from "./api.js";
import { causeTitle } from "./causes.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { reasonWord } from "./hold_words.js";
import { capital, said, t, tn } from "./i18n.js";
import { toast } from "./toast.js";
import { jobTag, person, when } from "./words.js";

const EVERY = 1500;
const WHY = /was not sent: (.+)$/;

/** Whether a job releases held messages; the others re-drive dead letters. */
export const isRelease = (job) => job.options?.kind === "release";

/** Why the messages are held that a job releases; empty for all reasons. */
export const releasedReasons = (job) => [...new Set(Object.values(job.options?.lanes ?? {}).flatMap((reasons) => reasons ?? []))];

function facts(job) {
  const parts = [person(job.actor)];
  if (isRelease(job)) parts.push(Object.keys(job.options.lanes ?? {}).filter((lane) => lane !== "default").join(", "), releasedReasons(job).map(reasonWord).join(", "));
  if (job.refused) parts.push(t("%(n)s refused: no such lane", { n: number(job.refused) }));
  if (job.unreadable) parts.push(t("%(n)s unreadable", { n: number(job.unreadable) }));
  if (job.failed_again) parts.push(t("%(n)s failed again", { n: number(job.failed_again) }));
  if (job.options?.skip_uncertain && job.may_have_arrived) parts.push(t("%(n)s left out: may have arrived", { n: number(job.may_have_arrived) }));
  if (job.options?.rate) parts.push(t("at most %(n)s per second", { n: job.options.rate }));
  if (job.options?.canary) parts.push(t("first %(n)s as a trial", { n: number(job.options.canary) }));
  return parts.filter(Boolean).join(" · ");
}

/** How many letters a job has not come to. */
const untouched = (job) => Math.max(0, job.selected - job.done - job.refused - job.unreadable);

/** How a job ended, in one sentence; empty while it runs. */
export function ending(job) {
  if (job.state === "running") return "";
  if (job.state !== "stopped") return tn("%(done)s of %(count)s message is back in the queue.", "%(done)s of %(count)s messages are back in the queue.", job.selected, { done: number(job.done) });
  const tried = number(Math.min(job.options?.canary ?? job.done, job.selected));
  return t("Stopped: %(failed)s of %(tried)s failed again, %(rest)s untouched.", { failed: number(job.failed_again), tried, rest: number(untouched(job)) });
}

function reason(job) {
  const why = WHY.exec(job.detail ?? "");
  return why ? t("Cause: %(what)s", { what: causeTitle("", why[1]) }) : capital(said(job.detail));
}

/** How many a release will find is not known before its end. */
const bar = (job) => (isRelease(job) ? h("progress", { "aria-label": t("Progress of the release") })
  : h("progress", { max: Math.max(1, job.selected), value: job.done + job.refused + job.unreadable, "aria-label": t("Progress of the re-drive") }));

/** One job, drawn. */
export function jobCard(job, changed) {
  const running = job.state === "running";
  const title = isRelease(job) ? tn("%(count)s message released", "%(count)s messages released", job.done) : t("%(done)s of %(all)s re-driven", { done: number(job.done), all: number(job.selected) });
  const stop = () => onPress(h("button", { type: "button", class: "button small", disabled: !may("operator"), title: may("operator") ? null : need("operator") }, t("Stop")), async () => {
    await post(`/jobs/${encodeURIComponent(job.job_id)}/cancel`);
    toast(t("The job stops after the current message."));
    changed?.();
  });
  return h("article", { class: "job" },
    h("div", { class: "job-head" },
      h("p", {}, h("b", {}, title), " ", jobTag(job)),
      h("p", { class: "job-facts" }, when(job.started_at)),
      running && !job.cancelling && stop()),
    running && bar(job),
    h("p", { class: "job-facts" }, facts(job)),
    job.detail && h("p", {}, reason(job)));
}

/** Follow a job until it ends; `draw(job)` each time. */
export async function follow(jobId, draw) {
  for (;;) {
    const job = await get(`/jobs/${encodeURIComponent(jobId)}`);
    draw(job);
    if (job.state !== "running") return job;
    await new Promise((resolve) => { setTimeout(resolve, EVERY); });
  }
}
