// The latest events as rows: what belongs together is one row. Pure: events in, rows out.

import { isOutage } from "./vocabulary.js";

//: What happens to one attempt, from its beginning to its outcome.
const ATTEMPT = new Set(["outcome.sending", "outcome.sent", "outcome.failed", "outcome.uncertain", "outcome.retrying", "outcome.dead"]);
const QUIET = new Set(["outcome.barrier", "job.progress"]);
//: What is done to many messages at once: the sum, and the single things it is made of.
const SUMS = {
  __proto__: null,
  "lane.cleared": ["outcome.cleared"],
  "dead.purged": ["outcome.purged"],
  "undo.done": ["outcome.restored", "undo.began"],
  "job.finished": ["outcome.redriven", "outcome.released", "job.started"],
};

const keyOf = (event) => `${event.at} ${event.name} ${event.message_id}`;
const group = (event) => event.details?.undo_id ?? event.details?.job_id ?? "";

/** Each event once, in the order in which they happened, without those that the sum of them tells already. */
function told(events) {
  const unique = [...new Map(events.filter((event) => !QUIET.has(event.name)).map((event) => [keyOf(event), event])).values()];
  const dead = new Set(unique.filter((event) => event.name === "outcome.dead").map((event) => event.message_id));
  const parts = new Set(unique.flatMap((event) => (SUMS[event.name] ?? []).map((part) => `${part} ${group(event)}`)));
  return unique.filter((event) => event.name !== "message.buried" || !dead.has(event.message_id)).filter((event) => !group(event) || !parts.has(`${event.name} ${group(event)}`)).sort((one, other) => one.at - other.at);
}

function begin(event) {
  return { key: keyOf(event), kind: ATTEMPT.has(event.name) ? "attempt" : "event", name: event.name, from: event.at, at: event.at, began: event.name === "outcome.sending" ? event.at : null, count: 1, event, failure: event.details?.failure_class ?? "" };
}

/** One more event of an attempt: the row tells the latest, and keeps why it failed. */
function go(row, event) {
  row.at = event.at;
  row.name = event.name;
  row.failure = event.details?.failure_class ?? row.failure;
  row.event = { ...row.event, ...event, details: { ...row.event.details, ...event.details } };
}

const isWait = (row) => row.kind === "attempt" && row.name !== "outcome.sent" && row.name !== "outcome.dead" && isOutage(row.failure);

/** Whether a row only repeats the one before. */
function repeats(row, before) {
  if (!before) return false;
  if (isWait(row)) return isWait(before) && row.failure === before.failure;
  return row.kind === "event" && before.kind === "event" && row.name === before.name && row.event.message_id !== "" && group(row.event) === group(before.event) && row.event.details?.reason === before.event.details?.reason;
}

/**
 * Rows, newest first: {key, kind: "attempt" | "event", name, event, from, at, began, count, failure}.
 *
 * `count` is how many attempts or messages the row stands for; `began` when its attempt began, null if nobody knows.
 */
export function rowsOf(events) {
  const rows = [];
  const latest = new Map();
  for (const event of told(events)) {
    const open = latest.get(event.message_id);
    if (ATTEMPT.has(event.name) && event.name !== "outcome.sending" && open) {
      go(open, event);
      continue;
    }
    const row = begin(event);
    rows.push(row);
    if (row.kind === "attempt") latest.set(event.message_id, row);
  }
  return fold(rows.sort((one, other) => one.at - other.at)).reverse();
}

function fold(rows) {
  const folded = [];
  for (const row of rows) {
    const before = folded.at(-1);
    if (repeats(row, before)) Object.assign(before, { count: before.count + row.count, at: row.at, event: row.event });
    else folded.push(row);
  }
  return folded;
}
