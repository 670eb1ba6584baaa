// Re-drives of many dead letters: how far they are, and a way to end them.

import { may, need } from "./access.js";
import { get, post } from "./api.js";
import { h } from "./dom.js";
import { number } from "./format.js";
import { t } from "./i18n.js";
import { complain, toast } from "./toast.js";
import { jobTag, when } from "./words.js";

const EVERY = 1500;

function facts(job) {
  const parts = [job.actor];
  if (job.refused) parts.push(t("%(n)s refused: no such lane", { n: number(job.refused) }));
  if (job.unreadable) parts.push(t("%(n)s unreadable", { n: number(job.unreadable) }));
  if (job.failed_again) parts.push(t("%(n)s failed again", { n: number(job.failed_again) }));
  if (job.options?.rate) parts.push(t("at most %(n)s per second", { n: job.options.rate }));
  if (job.options?.canary) parts.push(t("canary of %(n)s", { n: number(job.options.canary) }));
  return parts.filter(Boolean).join(" · ");
}

/** One job, drawn. */
export function jobCard(job, changed) {
  const cancel = () => post(`/jobs/${encodeURIComponent(job.job_id)}/cancel`).then(() => { toast(t("The re-drive ends after the letter it is at.")); changed?.(); }, complain);
  const running = job.state === "running";
  return h("article", { class: "job" },
    h("div", { class: "job-head" },
      h("p", {}, h("b", {}, t("%(done)s of %(all)s re-driven", { done: number(job.done), all: number(job.selected) })), " ", jobTag(job)),
      h("p", { class: "job-facts" }, when(job.started_at)),
      running && !job.cancelling && h("button", { type: "button", class: "button small", onclick: cancel, disabled: !may("operator"), title: may("operator") ? null : need("operator") }, t("Stop"))),
    running && h("progress", { max: Math.max(1, job.selected), value: job.done + job.refused + job.unreadable, "aria-label": t("Progress of the re-drive") }),
    h("p", { class: "job-facts" }, facts(job)),
    job.detail && h("p", {}, job.detail));
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
