"""Messages and their lives for people and for programs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from admin_api.history.records import LifeEntry, MessageRecord
from broker.message import Priority

#: Characters of a text that fit a table.
_EXCERPT = 40

#: What a consumer process is known by in its events; whoever else acts has a name.
_IS_CONSUMER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_FACTS = (
    ("to", "phone_number"),
    ("text", "text"),
    ("source", "source"),
    ("key", "idempotency_key"),
    ("provider's id", "provider_id"),
    ("failure", "failure_class"),
    ("code", "code"),
    ("detail", "detail"),
    ("copy of", "copy_of"),
    ("copied to", "copied_to"),
    ("taken out by", "undo_id"),
)


def message_json(record: MessageRecord, life: Iterable[LifeEntry] | None = None) -> dict[str, Any]:
    """A message for programs, with its life if that is given."""
    values = asdict(record)
    return values if life is None else values | {"life": [_entry_json(entry) for entry in life]}


def _entry_json(entry: LifeEntry) -> dict[str, Any]:
    names = ("at", "name", "lane", "generation", "attempt", "source", "journal", "offset")
    return {name: getattr(entry, name) for name in names} | {"details": dict(entry.details)}


def message_card(record: MessageRecord, life: Iterable[LifeEntry] = ()) -> Table:
    """One message in full; from its life, the consumers that tried to send it."""
    table = Table.grid(padding=(0, 2))
    table.add_row("message", Text(record.message_id, overflow="fold"))
    table.add_row("state", f"{record.state.value}, since {clock(record.changed_at)}")
    table.add_row("lane", f"{record.lane}, priority {Priority.label(record.priority)}")
    for name, field in _FACTS:
        value = getattr(record, field)
        if value:
            table.add_row(name, Text(str(value), overflow="fold"))
    if record.cancelling:
        table.add_row("to be cancelled", "yes; it is dropped when its turn comes")
    for short_name, known_as in _consumers(life).values():
        if known_as:
            table.add_row(short_name, Text(known_as, overflow="fold"))
    return table


def life_table(life: Sequence[LifeEntry]) -> Table:
    """What happened, a line each, oldest first; consumers have short names here, and their own on the card."""
    consumers = _consumers(life)
    table = Table("at", "what", "attempt", "by", "details")
    for entry in life:
        table.add_row(
            clock(entry.at),
            Text(entry.name),
            str(entry.attempt or ""),
            Text(consumers[entry.source][0] if entry.source in consumers else entry.source, overflow="fold"),
            Text(_in_words(entry.details), overflow="fold"),
        )
    return table


def _consumers(life: Iterable[LifeEntry]) -> dict[str, tuple[str, str]]:
    """The consumers in a life, by what their events are known by: a short name, and host and process if they told."""
    told: dict[str, str] = {}
    for entry in life:
        if entry.name.startswith("outcome.") and _IS_CONSUMER.fullmatch(entry.source):
            told[entry.source] = str(entry.details.get("consumer") or told.get(entry.source, ""))
    if len(told) == 1:
        return {source: ("consumer", name) for source, name in told.items()}
    return {source: (f"consumer {number}", name) for number, (source, name) in enumerate(told.items(), 1)}


def message_table(records: Iterable[MessageRecord]) -> Table:
    """Messages, a line each."""
    table = Table("message", "to", "queued", "state", "attempt", "source", "text")
    for record in records:
        text = record.text if len(record.text) <= _EXCERPT else record.text[: _EXCERPT - 1] + "…"
        table.add_row(
            Text(record.message_id, overflow="fold"),
            record.phone_number or "unreadable",
            clock(record.queued_at),
            record.state.value,
            str(record.attempt or ""),
            Text(record.source),
            Text(" ".join(text.split())),
        )
    return table


def clock(at: float | None) -> str:
    """A time in the machine's own zone, to the second; a dash for None."""
    if at is None:
        return "—"
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _in_words(details: Mapping[str, Any]) -> str:
    known = {
        name: value
        for name, value in details.items()
        if isinstance(value, str | int | float) and value != "" and name != "consumer"
    }
    return ", ".join(f"{name} {value}" for name, value in known.items())
