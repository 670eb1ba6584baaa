// What `antrian doctor` finds, in the browser.

import { onPress } from "../action.js";
import { get } from "../api.js";
import { $, h, say } from "../dom.js";
import { duration, number, phone } from "../format.js";
import { said, t, tn } from "../i18n.js";
import { sessionWords } from "../session_words.js";
import { when } from "../words.js";

const SUBJECTS = {
  __proto__: null,
  settings: t("Settings"), disk: t("Disk"), files: t("Files"), tokens: t("Tokens"), broker: t("Broker"), alarm: t("Alarm"), topology: t("Topology"), permissions: t("Permissions"),
  lane: t("Lane"), management: t("Management"), provider: t("Provider"), history: t("History"), retention: t("Retention"), clock: t("Clock"),
};
const STATES = { __proto__: null, problem: [t("problem"), "bad"], warning: [t("warning"), "wait"], ok: [t("OK"), "good"] };
const ORDER = Object.keys(STATES);

/** One finding: what it is about, how that is, and what to do. */
function finding({ subject, state, found, todo }) {
  const [words, tone] = STATES[state] ?? [state, ""];
  return h("li", { class: "finding", "data-state": state },
    h("span", { class: "tag", "data-tone": tone }, words),
    h("div", {},
      h("p", { class: "finding-subject" }, SUBJECTS[subject] ?? subject),
      h("p", {}, withCode(said(found))),
      todo && h("p", { class: "finding-todo" }, "→ ", withCode(said(todo)))));
}

/** What stands between backticks is for the command line. */
const withCode = (words) => words.split("`").map((part, index) => (index % 2 ? h("code", {}, part) : part));

function verdict({ problems, warnings, is_complete: isComplete }) {
  const parts = [];
  if (problems) parts.push(tn("%(count)s problem", "%(count)s problems", problems));
  if (warnings) parts.push(tn("%(count)s warning", "%(count)s warnings", warnings));
  if (!isComplete) parts.push(t("not everything could be checked in time"));
  return parts.length ? parts.join(", ") : t("Everything is in order.");
}

function drawFindings(report) {
  const list = (findings) => h("ul", { class: "findings" }, findings.map(finding));
  const sorted = [...report.findings].sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  const wrong = sorted.filter(({ state }) => state !== "ok");
  const fine = sorted.filter(({ state }) => state === "ok");
  $("#findings").replaceChildren(...(wrong.length ? [list(wrong)] : []),
    h("details", { class: "findings-fine", open: !wrong.length }, h("summary", {}, tn("%(count)s check passed", "%(count)s checks passed", fine.length)), list(fine)));
}

function pause({ delay, jitter }) {
  return jitter ? t("%(delay)s, and up to %(jitter)s more", { delay: duration(delay), jitter: duration(jitter) }) : duration(delay);
}

function connection({ state, at, detail }) {
  const [words, tone] = sessionWords(state);
  return [h("span", { class: "tag", "data-tone": tone }, words), " ", t("since"), " ", when(at), detail && h("span", { class: "muted" }, ` · ${detail}`)];
}

function history({ entries, behind_seconds: behind, writes, trouble }) {
  if (trouble) return said(trouble);
  const words = behind < 1 ? tn("up to date, %(count)s entry", "up to date, %(count)s entries", entries) : tn("%(time)s behind, %(count)s entry", "%(time)s behind, %(count)s entries", entries, { time: duration(behind) });
  return writes ? words : [words, " · ", t("another process writes it")];
}

function drawFacts(report) {
  const { versions } = report;
  const facts = [
    [t("Provider"), report.provider === "sandbox" ? t("sandbox: nothing reaches WhatsApp") : report.provider],
    ...report.lanes.map(({ lane, sender }) => [report.lanes.length > 1 ? t("Sender of lane %(lane)s", { lane }) : t("Sender"), phone(sender) || t("none")]),
    ...report.lanes.filter(({ session }) => session).map(({ lane, session }) => [report.lanes.length > 1 ? t("Connection of lane %(lane)s", { lane }) : t("Connection"), connection(session)]),
    [t("Pause between two sends"), pause(report)],
    [t("History"), history(report.history)],
    ["Antrian", versions.antrian],
    ["Python", versions.python],
    ["RabbitMQ", versions.rabbitmq ?? t("not known: no broker answers")],
  ];
  $("#facts").replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  $("#facts-section").hidden = false;
}

async function look({ fresh } = {}) {
  say($("#verdict"), t("Checking … this takes a few seconds."));
  try {
    const report = await get("/doctor", fresh ? { fresh: true } : {});
    say($("#verdict"), verdict(report));
    $("#looked-at").replaceChildren(t("Checked at"), " ", when(report.at));
    drawFindings(report);
    drawFacts(report);
  } catch (error) {
    say($("#verdict"), t("The check failed."));
    throw error;
  }
}

onPress($("#again"), () => look({ fresh: true }));
export const ready = look().catch((error) => { $("#findings").replaceChildren(h("p", { class: "notice bad" }, error.message)); });
