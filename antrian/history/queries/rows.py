"""Rows of the file as the values that callers get; pure."""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from antrian.history.journal.entry import read_event, tame
from antrian.history.projection.changes import OFFSET_BITS
from antrian.history.records import FINAL, DeadRecord, Job, LifeEntry, MessageRecord, MessageState
from antrian.history.removal import Removal, Removed

_OFFSET = (1 << OFFSET_BITS) - 1

#: How many columns a message, and a dead letter, have.
MESSAGE_WIDTH, DEAD_WIDTH = 28, 18


def message(row: Sequence[Any], now: float) -> MessageRecord:
    """A message as it is at that moment: once its time on the delay ladder is over, it waits in its lane."""
    values = list(row[:23])
    values[2] = MessageState(values[2])
    values[4], values[5], values[6] = values[4] or "", values[5] or "", values[6] or ""
    values[8] = table(values[8]) if values[8] else None
    record = MessageRecord(*values)
    record = replace(record, cancelling=bool(row[27]) and record.state not in FINAL)
    is_due = record.due_at is not None and record.due_at <= now
    if is_due and record.state in {MessageState.RETRYING, MessageState.SCHEDULED}:
        return replace(record, state=MessageState.WAITING, due_at=None)
    return record


def dead(row: Sequence[Any]) -> DeadRecord:
    """A dead letter."""
    values = [*row[:15], table(row[15]), bool(row[17])]
    return DeadRecord(*values)


def life_entry(row: Sequence[Any]) -> LifeEntry:
    """One line.

    Args:
        row: sequence, name, time and body (None for the arrival of a new message, which says no more than the message
            does); then id, lane, priority and source of the message.
    """
    seq, name, at, body, *about = row
    journal, offset = seq >> OFFSET_BITS, seq & _OFFSET
    event = read_event(body) if body is not None else None
    if event is not None:
        return LifeEntry(
            journal,
            offset,
            at,
            name,
            event.lane,
            event.message_id,
            event.generation,
            event.attempt,
            event.source,
            tame(dict(event.details)),
        )
    message_id, lane, priority, source = about
    details = {"priority": priority}
    return LifeEntry(journal, offset, at, name, lane or "", message_id or "", source=source or "", details=details)


def with_classes(life: Sequence[LifeEntry]) -> list[LifeEntry]:
    """A life in which the end tells its class: older consumers did not write it, but the failure before it has one."""
    told: list[LifeEntry] = []
    last = ""
    for entry in life:
        if entry.name == "outcome.uncertain":
            last = "uncertain"
        elif entry.name == "outcome.failed":
            last = str(entry.details.get("failure_class") or "uncertain")
        if entry.name == "outcome.dead" and last and not entry.details.get("failure_class"):
            told.append(replace(entry, details={**entry.details, "failure_class": last}))
        else:
            told.append(entry)
    return told


def removal(row: Sequence[Any]) -> Removal:
    """A clearing or a purge."""
    return Removal(*row)


def removed(row: Sequence[Any], now: float) -> Removed:
    """One message that was taken out: the message's columns, the letter's, then those of its taking out."""
    about = message(row, now)
    letter = row[MESSAGE_WIDTH : MESSAGE_WIDTH + DEAD_WIDTH]
    generation, queue, due_at, kind, told, is_restored = row[MESSAGE_WIDTH + DEAD_WIDTH :][:6]
    record = None
    if kind == "purge":
        record = dead(letter) if letter[0] is not None else _told_letter(about, generation, told)
    return Removed(about, generation, queue, due_at, record, bool(is_restored))


def _told_letter(about: MessageRecord, generation: int, told: str | None) -> DeadRecord | None:
    """A letter that the broker itself buried: only the event about its purge has it."""
    letter = table(told) if told else {}
    try:
        body = b64decode(letter.get("body", ""), validate=True)
    except (NotBase64, ValueError, TypeError):
        body = b""
    headers = letter.get("headers")
    if not body:
        return None
    return DeadRecord(
        message_id=about.message_id,
        generation=generation,
        lane=about.lane,
        priority=about.priority,
        source=about.source,
        died_at=about.changed_at or 0.0,
        failure_class=about.failure_class or "broker",
        code=about.code or "unknown",
        detail=about.detail or "",
        attempts=about.attempt,
        phone_number=about.phone_number,
        text=about.text,
        problem="",
        note="",
        body=body,
        headers=headers if isinstance(headers, dict) else {},
    )


def job(row: Sequence[Any]) -> Job:
    """A job."""
    values = [*row[:11], bool(row[11]), table(row[12])]
    return Job(*values)


def table(text: str) -> Mapping[str, Any]:
    """A JSON object; empty for anything that is none."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
