"""A journal on paper: deliveries as the broker makes them, and the history that they fold to."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pika
from factories import LANE, NOW, PHONE

from antrian.broker.stream.entry import StreamEntry
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.message import AttemptFailure, Message, encode, new_message
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, reported
from antrian.history.projection import history_file
from antrian.history.projection.writer import HistoryWriter
from antrian.history.queries.history import History

NAMES = Names("wa")


@dataclass
class Journal:
    """Deliveries in their order; `tick` seconds lie between two."""

    tick: float = 1.0
    deliveries: list[StreamEntry] = field(default_factory=list)

    @property
    def now(self) -> float:
        return NOW + len(self.deliveries) * self.tick

    def queued(
        self, message_id: str = "m1", *, exchange: str = NAMES.messages, lane: str = LANE, **fields: Any
    ) -> None:
        self._message(exchange, lane, message_id, lane=lane, **fields)

    def scheduled(self, message_id: str = "m1", *, seconds: float = 60, lane: str = LANE, **fields: Any) -> None:
        self._message(NAMES.scheduled, ladder_key(seconds, lane), message_id, lane=lane, **fields)

    def buried(self, message_id: str = "m1", *, generation: int = 1, code: str = "timeout", **fields: Any) -> None:
        failure = AttemptFailure(3, self.now, fields.pop("failure_class", "transient"), code, "the provider's words")
        self._message(NAMES.dead, LANE, message_id, generation=generation, failures=(failure,), **fields)

    def event(self, name: str, message_id: str = "m1", *, lane: str = LANE, **fields: Any) -> None:
        known = {name: fields.pop(name) for name in ("generation", "attempt", "source", "at") if name in fields}
        values = {"at": self.now, "attempt": 1, **known}
        event = Event(name, lane=lane, message_id=message_id, details=fields, **values)
        self.add(NAMES.events, event.routing_key, event.encode(), EVENT_PROPERTIES)

    def outcome(self, name: str, message_id: str = "m1", **fields: Any) -> None:
        self.event(f"outcome.{name}", message_id, **fields)

    def sent(self, message_id: str = "m1", **fields: Any) -> None:
        self.outcome("sending", message_id, **fields)
        self.outcome("sent", message_id, **{"provider_id": f"p-{message_id}", **fields})

    def receipt(
        self, status: str, provider_id: str = "p-m1", *, lane: str = LANE, correlation_id: str = "", **fields: Any
    ) -> None:
        """What the receipts server writes; `at` is the provider's time, None where it tells none."""
        values = {"at": self.now, "provider_id": provider_id, "correlation_id": correlation_id, **fields}
        failure = {"failure_class": FailureClass(values.pop("failure_class"))} if "failure_class" in values else {}
        told = DeliveryReceipt(status=ReceiptStatus(status), recipient=PHONE, **values, **failure)
        event = reported(told, lane=lane, provider="waha", sender="62811", at=self.now, source="receipts")
        self.add(NAMES.events, event.routing_key, event.encode(), EVENT_PROPERTIES)

    def add(self, exchange: str, key: str, body: bytes, properties: pika.BasicProperties | None = None) -> None:
        offset = self.deliveries[-1].offset + 1 if self.deliveries else 0
        self.deliveries.append(StreamEntry(offset, exchange, key, properties or pika.BasicProperties(), body))

    def _message(self, exchange: str, key: str, message_id: str, *, lane: str = LANE, **fields: Any) -> None:
        generation, failures = fields.pop("generation", 0), fields.pop("failures", ())
        values = {"source": "test", "now": self.now, "text": "Halo", "phone": PHONE, **fields}
        text, phone = values.pop("text"), values.pop("phone")
        made = new_message(phone, text, message_id=message_id, lane=lane, **values)
        one = Message(made.message_id, lane, made.priority, made.body, made.queued_at, 1, generation, failures)
        body, properties = encode(one)
        self.add(exchange, key, body, properties)


def fold(path: Path, *batches: Iterable[StreamEntry], now: float = NOW + 10_000) -> History:
    """The history of some batches, in a file of its own."""
    if history_file.inode(path) is None:
        history_file.create(path)
    writer = HistoryWriter(path, NAMES)
    for batch in batches:
        writer.take(list(batch), now=now)
    writer.finish()
    writer.close()
    return History(path)


def dump(history: History) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    connection = sqlite3.connect(history.path)
    tables = ("position", "messages", "events", "dead", "tallies", "minutes", "waits", "removals", "taken_out", "jobs")
    tables += ("quarters", "quarter_waits", "causes", "holds", "opt_outs", "deliveries", "parked", "sessions")
    found = {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608
    found["words"] = sorted(connection.execute("SELECT rowid FROM words WHERE words MATCH 'halo'"))
    connection.close()
    found["tallies"] = [row for row in found["tallies"] if row[2]]
    found["minutes"] = [row for row in found["minutes"] if any(row[2:])]
    # Sums of seconds differ in their last bits, by the order of adding them.
    for table in ("waits", "quarter_waits"):
        found[table] = [(*row[:4], round(row[4], 3), row[5]) for row in found[table]]
    found["quarters"] = [row for row in found["quarters"] if any(row[3:])]
    found["holds"] = [(*row[:4], round(row[4], 3)) for row in found["holds"]]
    found["deliveries"] = [(*row[:8], round(row[8], 3), row[9]) for row in found["deliveries"] if any(row[3:8])]
    found["causes"] = [row for row in found["causes"] if row[3]]
    return found
