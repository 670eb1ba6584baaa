"""Rows of the file as the values that callers get; pure."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from antrian.domain.event_name import EventName
from antrian.history.journal.entry import json_table, read_event, tame
from antrian.history.projection import columns
from antrian.history.projection.changes import OFFSET_BITS
from antrian.history.projection.message_row import told_state
from antrian.history.records import FINAL, DeadRecord, DeliveryState, Job, LifeEntry, MessageRecord, MessageState
from antrian.history.removal import Removal, Removed

_OFFSET = (1 << OFFSET_BITS) - 1

#: What a record has as its row has it.
_AS_IT_IS = frozenset(one.name for one in fields(MessageRecord)) - columns.UNKNOWN.keys()
_NO_HOLD: Mapping[str, None] = dict.fromkeys(("hold_reason", "hold_until", "hold_rule"))
_ON_THE_LADDER = frozenset({MessageState.RETRYING, MessageState.SCHEDULED, MessageState.HELD})
_LETTER = tuple(one.name for one in fields(DeadRecord))


def message(values: Mapping[str, Any], now: float) -> MessageRecord:
    """A message as it is at that moment: once its time on the delay ladder is over, it waits in its lane."""
    known = {name: values[name] for name in _AS_IT_IS} | columns.recorded(values)
    state = told_state(known["state"], known["hold_reason"])
    known["cancelling"] = bool(known["cancelling"]) and state not in FINAL
    due_at = known["due_at"]
    if due_at is not None and due_at <= now and state in _ON_THE_LADDER:
        state, known["due_at"] = MessageState.WAITING, None
    if state is not MessageState.HELD:
        known |= _NO_HOLD
    if known["delivery"] is not None:
        known["delivery"] = DeliveryState(known["delivery"])
    elif state is MessageState.SENT:
        # An earlier program wrote it down.
        known["delivery"] = DeliveryState.HANDED_OVER
    return MessageRecord(**known | {"state": state})


def dead(values: Mapping[str, Any]) -> DeadRecord:
    """A dead letter."""
    known = {name: values[name] for name in _LETTER}
    known |= {"headers": json_table(values["headers"]), "was_uncertain": bool(values["was_uncertain"])}
    return DeadRecord(**known)


def life_entry(values: Mapping[str, Any]) -> LifeEntry:
    """One line; its body is None for the arrival of a new message, which says no more than the message does."""
    seq, name, at, body = values["seq"], values["name"], values["at"], values["body"]
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
    lane, message_id, source = (values[column] or "" for column in ("lane", "message_id", "source"))
    details = {"priority": values["priority"]}
    return LifeEntry(journal, offset, at, name, lane, message_id, source=source, details=details)


def without_repetitions(entries: Iterable[LifeEntry]) -> Iterator[LifeEntry]:
    """Each event once: a writer whose connection breaks writes an event again, and may not know that it is there."""
    before: LifeEntry | None = None
    for entry in entries:
        if before is None or not entry.source or replace(entry, offset=before.offset, journal=before.journal) != before:
            yield entry
        before = entry


def with_classes(life: Sequence[LifeEntry]) -> list[LifeEntry]:
    """A life in which the end tells its class: older consumers did not write it, but the failure before it has one."""
    told: list[LifeEntry] = []
    last = ""
    for entry in life:
        if entry.name == EventName.UNCERTAIN:
            last = "uncertain"
        elif entry.name == EventName.FAILED:
            last = str(entry.details.get("failure_class") or "uncertain")
        if entry.name == EventName.DEAD and last and not entry.details.get("failure_class"):
            told.append(replace(entry, details={**entry.details, "failure_class": last}))
        else:
            told.append(entry)
    return told


def removal(values: Mapping[str, Any]) -> Removal:
    """A clearing or a purge."""
    return Removal(**values)


def removed(values: Mapping[str, Any], now: float) -> Removed:
    """One message that was taken out: the message's columns, the letter's, then those of its taking out."""
    about = message(values, now)
    letter, taken = columns.without("letter_", values), columns.without("taken_", values)
    generation, record = taken["generation"], None
    if taken["kind"] == "purge":
        record = dead(letter) if letter["id"] is not None else _told_letter(about, generation, taken["letter"])
    return Removed(about, generation, taken["queue"], taken["due_at"], record, bool(taken["is_restored"]))


def _told_letter(about: MessageRecord, generation: int, told: str | None) -> DeadRecord | None:
    """A letter that the broker itself buried: only the event about its purge has it."""
    letter = json_table(told) if told else {}
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


def job(values: Mapping[str, Any]) -> Job:
    """A job."""
    known = dict(values) | {"cancelling": bool(values["cancelling"]), "options": json_table(values["options"])}
    return Job(**known)
