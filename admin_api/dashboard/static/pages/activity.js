// What people did: clearings with their undo, jobs, and for admins every action.

import { may, need } from "../access.js";
import { get, prefix } from "../api.js";
import { $, empty, h, table } from "../dom.js";
import { number } from "../format.js";
import { t, tn } from "../i18n.js";
import { jobCard } from "../jobs.js";
import { Pager } from "../pager.js";
import { complain } from "../toast.js";
import { undo } from "../undo.js";
import { when } from "../words.js";

const JOBS_EVERY = 2000;
//: Seconds that the history may lag.
const LONGEST_LAG = 10;

const KINDS = { clear: t("Cleared"), purge: t("Deleted") };
const ACTIONS = {
  "POST /clear": t("Clear"), "POST /pause": t("Pause"), "POST /resume": t("Resume"), "POST /force-process": t("Send the next now"),
  "POST /send-test": t("Send a test"), "POST /simulate": t("Simulate registrations"), "POST /undo/{id}": t("Undo"),
  "POST /failed/redrive": t("Re-drive many"), "POST /failed/{id}/redrive": t("Re-drive"), "POST /failed/{id}/note": t("Note"),
  "DELETE /failed": t("Delete dead letters"), "POST /jobs/{id}/cancel": t("Stop a re-drive"), "POST /messages/{id}/cancel": t("Cancel a message"),
  "GET /failed/export": t("Export"), "POST /login": t("Log in"), "POST /logout": t("Log out"),
};

function undoCell(removal) {
  if (removal.undone_at) return h("span", { class: "muted" }, t("undone by %(who)s", { who: removal.undone_by ?? "?" }), ", ", when(removal.undone_at));
  if (!removal.count) return "";
  return h("button", { type: "button", class: "button small", disabled: !may("admin"), title: may("admin") ? null : need("admin"), onclick: () => undo(removal.undo_id, () => untilUndone(removal.undo_id)) }, t("Undo"));
}

/** The history hears of an undo a moment after it is done. */
async function untilUndone(undoId) {
  for (let asked = 0; asked < LONGEST_LAG; asked += 1) {
    const items = await loadRemovals();
    if (items.find((removal) => removal.undo_id === undoId)?.undone_at) return;
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

async function loadRemovals() {
  const { items } = await get("/undo");
  const columns = [
    { label: t("When"), class: "nowrap", cell: (removal) => when(removal.at) },
    { label: t("What"), cell: (removal) => [KINDS[removal.kind] ?? removal.kind, tn("%(count)s message", "%(count)s messages", removal.count)].join(": ") },
    { label: t("Lane"), cell: (removal) => removal.lane || t("several") },
    { label: t("Who"), cell: (removal) => removal.actor },
    { label: t("Undo"), cell: undoCell },
  ];
  $("#removals").replaceChildren(items.length ? table(t("Cleared and deleted"), columns, items) : empty(t("Nothing was cleared or deleted"), t("When it is, it can be undone here.")));
  return items;
}

async function loadJobs() {
  const { items } = await get("/jobs");
  $("#jobs").replaceChildren(...(items.length ? items.map((job) => jobCard(job, loadJobs)) : [empty(t("No re-drives yet"), t("The desk starts them; here they stay on record."))]));
  if (items.some((job) => job.state === "running")) setTimeout(() => loadJobs().catch(complain), JOBS_EVERY);
}

const plain = (action) => String(action).replace(/\{[^}]*\}/g, "{id}");
const verdict = (entry) => h("span", { class: "tag", "data-tone": entry.name === "audit.denied" ? "bad" : "good" }, entry.name === "audit.denied" ? t("denied") : t("allowed"));

function drawAudit(entries) {
  const columns = [
    { label: t("When"), class: "nowrap", cell: (entry) => when(entry.at) },
    { label: t("Who"), cell: (entry) => entry.source },
    { label: t("Action"), cell: ({ details }) => h("span", { title: details.action }, ACTIONS[plain(details.action)] ?? details.action) },
    { label: t("On what"), class: "wide", cell: ({ details }) => h("div", {}, h("span", { class: "mono" }, String(details.target ?? "").replace(prefix, "")), details.why && h("p", { class: "muted" }, details.why)) },
    { label: t("Role"), cell: ({ details }) => details.role ?? "" },
    { label: t("Verdict"), cell: verdict },
    { label: t("Answer"), class: "number", cell: ({ details }) => number(details.status) },
  ];
  $("#audit").replaceChildren(entries.length ? table(t("Every action"), columns, entries) : empty(t("Nobody did anything yet"), t("Every action, allowed or denied, is written down here.")));
}

function loadAudit() {
  if (may("admin")) return new Pager({ path: "/audit", button: $("#more"), draw: drawAudit }).show({});
  return $("#audit").replaceChildren(empty(t("Only admins see every action"), need("admin")));
}

export const ready = Promise.all([loadRemovals().catch(complain), loadJobs().catch(complain), loadAudit()]);
