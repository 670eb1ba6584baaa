// Messages from a file: choose it, read what the check found, queue it.

import { onPress } from "../action.js";
import { address, ask, get, post, Problem } from "../api.js";
import { $, h, say } from "../dom.js";
import { duration, number } from "../format.js";
import { said, t, tn } from "../i18n.js";
import { reasonWords } from "../import_reasons.js";
import { planView } from "../plan_view.js";
import { complain } from "../toast.js";
import { priorityWord } from "../words.js";

const LARGEST = Number(document.body.dataset.largest);
const EVERY = 700;
//: Milliseconds that a plan is waited for.
const PATIENCE = 2000;
const ROWS_SHOWN = 15;

let chosen = null;
let job = null;
let round = 0;

const options = () => Object.fromEntries([...new FormData($("#options"))].map(([name, value]) => [name, value.trim()]));
const rows = (count) => tn("%(count)s row", "%(count)s rows", count);

/** Send the file and draw what the check found; asked again with other options, only the last answer counts. */
async function check() {
  if (!chosen) return;
  round += 1;
  const mine = round;
  forget();
  say($("#file-name"), chosen.name);
  if (chosen.size > LARGEST) {
    show(problem(t("This file has %(size)s MB; up to %(limit)s MB can be uploaded. Split it, or use the command line.", { size: number(Math.ceil(chosen.size / 1e6)), limit: number(LARGEST / 1e6) })));
    return;
  }
  show(h("p", {}, t("Checking …")), h("progress", { "aria-label": t("Checking …") }));
  try {
    const found = await ask("POST", "/imports", { query: { filename: chosen.name.slice(-200), ...options() }, file: chosen });
    if (mine !== round) return;
    job = found;
    // Drawn together: what comes late would push the button away from under the pointer.
    const plan = await planned(found);
    if (mine !== round) return;
    drawCheck(plan);
    $("#result-title").focus({ preventScroll: true });
    $("#result").scrollIntoView({ block: "nearest" });
  } catch (error) {
    if (mine === round) refused(error);
  }
}

/** What was checked before is not needed any more. */
function forget() {
  if (job?.state === "checked") ask("DELETE", `/imports/${job.import_id}`).catch(() => {});
  job = null;
}

function refused(error) {
  if (!(error instanceof Problem)) throw error;
  const unknown = error.answer?.columns ?? [];
  const leaveOut = unknown.length > 0 && onPress(h("button", { type: "button", class: "button" }, t("Leave out %(columns)s", { columns: unknown.join(", ") })), () => {
    const field = $("#options [name=ignore_columns]");
    field.value = [field.value.trim(), ...unknown].filter(Boolean).join(", ");
    $(".options-box").open = true;
    return check();
  });
  show(problem(t("The file cannot be read: %(reason)s.", { reason: error.reason.replace(/\.$/, "") })), leaveOut && h("p", { class: "report-actions" }, leaveOut));
}

const problem = (words) => h("p", { class: "notice bad", role: "alert" }, words);

function show(...content) {
  $("#result").hidden = false;
  $("#report").replaceChildren(...content.filter(Boolean));
}

function drawCheck(plan) {
  const { report } = job;
  const wrong = report.invalid_rows;
  const skip = h("input", { type: "checkbox", id: "skip", onchange: () => drawQueue(button, skip) });
  const button = onPress(h("button", { type: "button", class: "button strong" }), () => queue(skip.checked));
  drawQueue(button, skip);
  show(
    h("p", { class: "big-count" }, report.read ? t("%(rows)s read, %(new)s can be queued", { rows: rows(report.read), new: number(report.new) }) : t("There are no rows in the file.")),
    facts(report),
    wrong > 0 && report.new > 0 && h("label", { class: "option" }, skip, h("span", {}, tn("Leave out the wrong row and queue the rest", "Leave out the %(count)s wrong rows and queue the rest", wrong))),
    plan ? drawPlan(plan) : h("p", { class: "hint", id: "forecast" }),
    h("p", { class: "report-actions" }, button),
    wrong > 0 && wrongRows(report),
  );
  if (report.new && !plan) roughForecast(report.new);
}

function drawQueue(button, skip) {
  const { report } = job;
  const blocked = report.invalid_rows > 0 && !skip.checked;
  say(button, report.new ? tn("Queue %(count)s message", "Queue %(count)s messages", report.new) : t("Nothing to queue"));
  button.disabled = blocked || !report.new;
  button.title = blocked ? t("Correct the wrong rows and choose the file again, or leave them out.") : "";
}

function facts(report) {
  const { already, repeated_count: repeated } = report;
  const parts = [
    already.queued && tn("%(count)s is in the queue already", "%(count)s are in the queue already", already.queued),
    already.sent && tn("%(count)s was sent already", "%(count)s were sent already", already.sent),
    already.dead && tn("%(count)s was given up, and is among the dead letters", "%(count)s were given up, and are among the dead letters", already.dead),
    already.cancelled && tn("%(count)s was cancelled", "%(count)s were cancelled", already.cancelled),
    repeated && tn("%(count)s has the key of an earlier row", "%(count)s have the key of an earlier row", repeated),
  ].filter(Boolean);
  return h("div", { class: "facts-list" },
    parts.length > 0 && h("p", {}, t("Left out:"), " ", parts.join("; "), "."),
    !report.already_known && h("p", { class: "notice" }, t("It is not known which of these messages an earlier import has queued.")));
}

function wrongRows(report) {
  const shown = report.invalid.slice(0, ROWS_SHOWN);
  const body = shown.map((one) => h("tr", {}, h("td", { class: "number" }, number(one.line)), h("td", {}, one.field || "–"), h("td", {}, reasonWords(one.reason))));
  const hidden = report.invalid.length - shown.length;
  return h("div", { class: "wrong" },
    h("p", { class: "form-error" }, tn("%(count)s row is wrong", "%(count)s rows are wrong", report.invalid_rows)),
    h("table", { class: "table" }, h("caption", { class: "sr" }, t("Wrong rows")),
      h("thead", {}, h("tr", {}, [t("Line"), t("Column"), t("What is wrong")].map((words, place) => h("th", { scope: "col", class: place ? null : "number" }, words)))),
      h("tbody", {}, body)),
    h("p", {}, hidden > 0 && h("span", { class: "muted" }, tn("and %(count)s more.", "and %(count)s more.", hidden), " "),
      h("a", { href: address(`/imports/${job.import_id}/errors`), download: "import-errors.csv" }, t("Download all of them as CSV"))));
}

/** The plan of what the file would queue; null where there is none in time. */
async function planned({ report }) {
  const { lane, priority } = options();
  const late = new Promise((resolve) => { setTimeout(resolve, PATIENCE, null); });
  return report.new ? Promise.race([get("/plan", { messages: report.new, priority, lane }).catch(() => null), late]) : null;
}

function drawPlan(plan) {
  const { lane, priority } = options();
  return h("div", { id: "forecast", class: "import-plan" }, planView(plan, { brief: true }),
    h("p", {}, h("span", { class: "muted" }, t("Counted as if nobody among them were a new contact.")), " ", h("a", { href: address("/planning", { messages: plan.messages, priority, lane }) }, t("With a deadline, or with new contacts …"))));
}

/** When all would be sent, as far as the lane can tell without a plan. */
async function roughForecast(count) {
  try {
    const status = await get("/status", { lane: options().lane });
    if (status.paused || !status.consumers || status.estimated_time === null || !$("#forecast")) return;
    say($("#forecast"), t("All of them would be sent in about %(time)s.", { time: duration(status.estimated_time + count * status.delay) }));
  } catch {
    // Without a broker there is no forecast.
  }
}

async function queue(skipInvalid) {
  const { import_id: id } = job;
  job = await post(`/imports/${id}/queue`, { skip_invalid: skipInvalid });
  const bar = h("progress", { max: Math.max(1, job.total), value: 0, "aria-label": t("Progress of the import") });
  const count = h("p", { class: "big-count" });
  const stop = onPress(h("button", { type: "button", class: "button" }, t("Stop")), () => ask("DELETE", `/imports/${id}`));
  show(count, bar, h("p", { class: "report-actions" }, stop));
  while (job.state === "queueing") {
    bar.value = job.done;
    say(count, t("%(done)s of %(all)s messages", { done: number(job.done), all: number(job.total) }));
    await new Promise((resolve) => { setTimeout(resolve, EVERY); });
    // An answer that is lost on the way is asked for again; a server that has forgotten it says so.
    job = await get(`/imports/${id}`).catch((error) => {
      if (error.status !== 404) return job;
      show(problem(error.message));
      return null;
    });
    if (!job) return;
  }
  drawEnd();
}

function drawEnd() {
  const { report, problem: trouble } = job;
  const ended = trouble || report.stopped;
  const isWhole = !ended && !report.failed_count;
  show(
    h("p", { class: "big-count" }, tn("%(count)s message is in the queue now.", "%(count)s messages are in the queue now.", report.queued)),
    ended && problem(report.stopped === "interrupted" ? t("Stopped. Upload the same file again to go on: what is in the queue is not sent twice.")
      : t("It ended early: %(reason)s. Upload the same file again to go on: what is in the queue is not sent twice.", { reason: said(ended) })),
    report.failed_count > 0 && h("ul", {}, report.failed.slice(0, ROWS_SHOWN).map((one) => h("li", {}, t("Line %(line)s: %(reason)s", { line: number(one.line), reason: reasonWords(one.reason) })))),
    isWhole && h("p", { class: "muted" }, t("It is safe to upload the same file again: nothing is sent twice.")),
    h("p", { class: "report-actions" },
      h("a", { class: "button strong", href: address("/waiting", { source: options().source || "import" }) }, t("Show waiting messages")),
      h("button", { type: "button", class: "button", onclick: startAgain }, t("Another file"))),
  );
}

function startAgain() {
  chosen = null;
  job = null;
  $("#file").value = "";
  say($("#file-name"), t("Choose a file, or drop it here"));
  $("#result").hidden = true;
  $("#file").focus();
}

function take(file) {
  if (!file || job?.state === "queueing") return;
  chosen = file;
  check().catch(complain);
}

function wireDrop() {
  const drop = $("#drop");
  // Beside the field a dropped file would open in place of the page.
  for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener("dragover", () => drop.setAttribute("data-over", ""));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.removeAttribute("data-over"));
  drop.addEventListener("drop", (event) => take(event.dataTransfer?.files[0]));
  $("#file").addEventListener("change", (event) => take(event.target.files[0]));
}

async function fillOptions() {
  $("#options [name=priority]").append(...["normal", "low", "high", "urgent"].map((name) => h("option", { value: name }, priorityWord(name))));
  const { lanes } = await get("/status");
  if (lanes.length < 2) return;
  $("#options [name=lane]").append(h("option", { value: "" }, t("as each row says")), ...lanes.map((lane) => h("option", { value: lane }, lane)));
  $("#lane-field").hidden = false;
}

wireDrop();
$("#options").addEventListener("submit", (event) => event.preventDefault());
$("#options").addEventListener("change", () => { if (job?.state !== "queueing" && job?.state !== "done") check().catch(complain); });
// Without a broker there is one lane fewer to choose from, and files are checked all the same.
export const ready = fillOptions().catch(() => {});
