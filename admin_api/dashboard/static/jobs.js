// Re-drives of many dead letters: how far they are, and a way to end them.

import { may, need } from "./access.js";
import { onPress } from "./action.js";
import { get, post } from "./api.js";
import { causeTitle } from "./causes.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { capital, said, t, tn } from "./i18n.js";
import { toast } from "./toast.js";
import { jobTag, person, when } from "./words.js";

const EVERY = 1500;
const WHY = /was not sent: (.+)$/;

function facts(job) {
  const parts = [person(job.actor)];
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

/** What a job does and how far it is: a release of held messages is a job, too. */
function heading(job) {
  const counts = { done: number(job.done), all: number(job.selected) };
  return job.options?.kind === "release" ? t("%(done)s of %(all)s released", counts) : t("%(done)s of %(all)s re-driven", counts);
}

/** One job, drawn. */
export function jobCard(job, changed) {
  const running = job.state === "running";
  const stop = () => onPress(h("button", { type: "button", class: "button small", disabled: !may("operator"), title: may("operator") ? null : need("operator") }, t("Stop")), async () => {
    await post(`/jobs/${encodeURIComponent(job.job_id)}/cancel`);
    toast(t("The re-drive stops after the current message."));
    changed?.();
  });
  return h("article", { class: "job" },
    h("div", { class: "job-head" },
      h("p", {}, h("b", {}, heading(job)), " ", jobTag(job)),
      h("p", { class: "job-facts" }, when(job.started_at)),
      running && !job.cancelling && stop()),
    running && h("progress", { max: Math.max(1, job.selected), value: job.done + job.refused + job.unreadable, "aria-label": t("Progress of the re-drive") }),
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
