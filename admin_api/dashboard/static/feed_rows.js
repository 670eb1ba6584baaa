// The latest events as rows: what belongs together is one row. Pure: events in, rows out.

import { attemptStep, isOutage, partsOf, vocabulary } from "./vocabulary.js";

const keyOf = (event) => `${event.at} ${event.name} ${event.message_id}`;
const group = (event) => event.details?.undo_id ?? event.details?.job_id ?? "";

/** Each event once, in the order in which they happened, without those that the sum of them tells already. */
function told(events) {
  const unique = [...new Map(events.filter((event) => !vocabulary.quiet.includes(event.name)).map((event) => [keyOf(event), event])).values()];
  const said = new Set(unique.map((event) => `${event.name} ${event.message_id}`));
  const parts = new Set(unique.flatMap((event) => partsOf(event.name).map((part) => `${part} ${group(event)}`)));
  return unique.filter((event) => !said.has(`${vocabulary.repetitions[event.name]} ${event.message_id}`)).filter((event) => !group(event) || !parts.has(`${event.name} ${group(event)}`)).sort((one, other) => one.at - other.at);
}

function begin(event) {
  return { key: keyOf(event), kind: attemptStep(event.name) ? "attempt" : "event", name: event.name, from: event.at, at: event.at, began: attemptStep(event.name) === "begins" ? event.at : null, count: 1, event, failure: event.details?.failure_class ?? "" };
}

/** One more event of an attempt: the row tells the latest, and keeps why it failed. */
function go(row, event) {
  row.at = event.at;
  row.name = event.name;
  row.failure = event.details?.failure_class ?? row.failure;
  row.event = { ...row.event, ...event, details: { ...row.event.details, ...event.details } };
}

const isWait = (row) => row.kind === "attempt" && attemptStep(row.name) !== "is over" && isOutage(row.failure);

/** Whether a row only repeats the one before. */
function repeats(row, before) {
  if (!before) return false;
  if (isWait(row)) return isWait(before) && row.failure === before.failure;
  return row.kind === "event" && before.kind === "event" && row.name === before.name && row.event.message_id !== "" && group(row.event) === group(before.event) && row.event.details?.reason === before.event.details?.reason && row.event.details?.status === before.event.details?.status;
}

/**
 * Rows, newest first: {key, kind: "attempt" | "event", name, event, from, at, began, count, failure}.
 *
 * `delivery` is what became of a message that was sent, where that is known; `count` is how many attempts or messages the row stands for; `began` when its attempt began, null if nobody knows.
 */
export function rowsOf(events) {
  const rows = [];
  const latest = new Map();
  for (const event of told(events)) {
    const open = latest.get(event.message_id);
    if (open?.name === "outcome.sent" && event.name === "receipt.status") {
      open.delivery = event.details?.status;
      continue;
    }
    if (open && attemptStep(event.name) && attemptStep(event.name) !== "begins") {
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
