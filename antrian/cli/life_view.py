"""Messages and their lives for people and for programs."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeGuard

from rich.table import Table
from rich.text import Text

from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import Hold
from antrian.domain.human_time import clock_time, duration, moment
from antrian.domain.lifecycle import word
from antrian.domain.message import Priority
from antrian.domain.phone_number import mask
from antrian.history.queries.life_line import OUTAGE, LifeLineStep, fold, summarize
from antrian.history.records import DELIVERIES, DeliveryState, LifeEntry, MessageRecord, MessageState
from antrian.operations.lane.lane_hold import hold_json

#: What attempts are called; everything else has its word in the table of a message's life.
_ATTEMPTS = {
    "attempt.begun": "attempt {attempt} begins",
    "attempt.sent": "sent at attempt {attempt}, in {took}",
    "attempt.failed": "attempt {attempt} failed after {took}",
    "attempt.uncertain": "attempt {attempt} has no known outcome",
}

#: What receipts say, by the step; the second word is for a message that had been called undelivered before.
_RECEIPTS = {
    "receipt.sent": ("WhatsApp has it", "WhatsApp has it"),
    "receipt.delivered": ("delivered", "delivered after all"),
    "receipt.read": ("read", "read, so it arrived after all"),
    "receipt.failed": ("not delivered, the provider says", "not delivered, the provider says"),
}

#: Characters of a text that fit a table.
_EXCERPT = 40

_FACTS = (
    ("to", "phone_number"),
    ("text", "text"),
    ("source", "source"),
    ("purpose", "purpose"),
    ("key", "idempotency_key"),
    ("correlation id", "correlation_id"),
    ("provider's id", "provider_id"),
    ("failure", "failure_class"),
    ("code", "code"),
    ("detail", "detail"),
    ("copy of", "copy_of"),
    ("copied to", "copied_to"),
    ("removed by", "undo_id"),
)


def message_json(
    record: MessageRecord, life: Iterable[LifeEntry] | None = None, *, masked: bool = False, hold: Hold | None = None
) -> dict[str, Any]:
    """A message for programs, with its life and what it waits for if these are given."""
    values = asdict(record) | {"phone_number": _number(record, masked=masked), "hold": hold_json(hold)}
    return values if life is None else values | {"life": [_entry_json(entry) for entry in life]}


def _entry_json(entry: LifeEntry) -> dict[str, Any]:
    names = ("at", "name", "lane", "generation", "attempt", "source", "journal", "offset")
    return {name: getattr(entry, name) for name in names} | {"details": dict(entry.details)}


def message_card(record: MessageRecord, life: Iterable[LifeEntry] = ()) -> Table:
    """One message in full; from its life, the consumers that tried to send it."""
    consumers = summarize(fold(life), record.changed_at or 0.0).consumers
    table = Table.grid(padding=(0, 2))
    table.add_row("message", Text(record.message_id, overflow="fold"))
    table.add_row("state", f"{record.state.value}, since {moment(record.changed_at)}")
    if record.delivery is not None:
        table.add_row("delivery", _delivery(record))
    table.add_row("lane", f"{record.lane}, priority {Priority.label(record.priority)}")
    for name, field in _FACTS:
        value = getattr(record, field)
        if value:
            table.add_row(name, Text(str(value), overflow="fold"))
    if record.cancelling:
        table.add_row("being cancelled", "yes; it is dropped when its turn comes")
    for name in consumers:
        table.add_row("consumer", Text(name, overflow="fold"))
    return table


def life_table(life: Iterable[LifeEntry]) -> Table:
    """What happened, a line each step, oldest first."""
    table = Table("at", "what", "by", "details")
    for step in fold(life):
        table.add_row(
            moment(step.at), Text(_what(step)), Text(step.by, overflow="fold"), Text(_why(step), overflow="fold")
        )
    return table


def life_verdict(life: Iterable[LifeEntry], now: float) -> str:
    """The figures of a life in one sentence, such as "Waited 5 min, 1 attempt, 9 rounds in an outage."."""
    figures = summarize(fold(life), now)
    parts = (
        []
        if figures.waited is None
        else [f"{'Waited' if figures.is_over else 'Waiting for'} {duration(figures.waited)}"]
    )
    parts.append(_counted(figures.attempts, "attempt"))
    if figures.rounds:
        parts.append(f"{_counted(figures.rounds, 'round')} in an outage of {duration(figures.outage_seconds)}")
    return ", ".join(parts) + "."


def message_table(records: Iterable[MessageRecord], *, masked: bool = True) -> Table:
    """Messages, a line each."""
    table = Table("message", "to", "queued", "state", "attempt", "source", "text")
    for record in records:
        text = record.text if len(record.text) <= _EXCERPT else record.text[: _EXCERPT - 1] + "…"
        table.add_row(
            Text(record.message_id, overflow="fold"),
            _number(record, masked=masked) or "unreadable",
            moment(record.queued_at),
            shown_state(record),
            str(record.attempt or ""),
            Text(record.source),
            Text(" ".join(text.split())),
        )
    return table


def _number(record: MessageRecord, *, masked: bool) -> str:
    return mask(record.phone_number) if masked and record.phone_number else record.phone_number


def shown_state(record: MessageRecord) -> str:
    """Where a message is in a word; of one that a provider took, what became of it."""
    is_told = record.state is MessageState.SENT and record.delivery is not None
    return DELIVERIES[record.delivery].word if is_told and record.delivery else record.state.value


def _delivery(record: MessageRecord) -> str:
    assert record.delivery is not None, "the caller has looked"  # noqa: S101 (for mypy)
    at = {
        DeliveryState.DELIVERED: record.delivered_at,
        DeliveryState.READ: record.read_at,
        DeliveryState.FAILED: record.undelivered_at,
    }.get(record.delivery)
    by = f" by {record.provider}" if record.provider else ""
    words = [DELIVERIES[record.delivery].word + (f", {moment(at)}" if at else "")]
    if record.delivery is DeliveryState.READ and record.delivered_at:
        words.append(f"delivered {moment(record.delivered_at)}")
    if record.sent_at:
        words.append(f"taken{by} {moment(record.sent_at)}")
    why = " / ".join(part for part in (record.delivery_code, record.delivery_detail) if part)
    return "; ".join([*words, why] if why else words)


def _receipt_words(step: LifeLineStep) -> str:
    plain, corrected = _RECEIPTS[step.name]
    after = step.details.get("after")
    words = corrected if step.details.get("corrects") else plain
    if step.name != "receipt.failed" and _is_time(after):
        words = f"{words} {duration(max(0.1, after))} after the provider took it"
    return f"{words} (of an earlier send)" if step.details.get("earlier") else words


def _what(step: LifeLineStep) -> str:
    if step.name in _RECEIPTS:
        return _receipt_words(step)
    if step.name == "attempt.sent" and step.details.get("settled_by") == "receipt":
        return f"sent at attempt {step.attempt}; there was no answer, but a receipt that proves it"
    took = duration(step.until - step.at)
    if step.name == OUTAGE:
        why = "provider throttled" if step.failure_class == FailureClass.THROTTLED else "provider was away"
        return f"{_counted(step.rounds, 'round')} while the {why}, until {clock_time(step.until, step.at)}"
    words = _ATTEMPTS[step.name].format(attempt=step.attempt, took=took) if step.name in _ATTEMPTS else word(step.name)
    return f"{words}, due {moment(step.details['due_at'])}" if _is_time(step.details.get("due_at")) else words


def _why(step: LifeLineStep) -> str:
    failure = " / ".join(part for part in (step.failure_class, step.code) if part)
    known = ("provider_id", "copy", "note", "consumer", "reason", "rule", "purpose")
    about = {name: step.details[name] for name in known if isinstance(step.details.get(name), str)}
    return "; ".join(part for part in (failure, step.detail, _in_words(about)) if part)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_words(details: Mapping[str, Any]) -> str:
    known = {
        name: value
        for name, value in details.items()
        if isinstance(value, str | int | float) and value != "" and name != "consumer"
    }
    return ", ".join(f"{name} {value}" for name, value in known.items())
