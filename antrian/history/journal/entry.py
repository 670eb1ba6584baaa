"""One delivery of the journal, and what it says: an event, or the arrival of a copy of a message.

Whatever a stranger wrote into an exchange, reading it never fails: what makes no sense becomes None, and every text
and number is one that SQLite takes.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import from_json

from antrian.broker.queue_scan.publication import Found
from antrian.broker.stream.entry import StreamEntry
from antrian.broker.topology import Names
from antrian.domain.delay_ladder import ladder_delay
from antrian.domain.errors import MalformedMessage
from antrian.domain.event_name import EventName
from antrian.domain.events import Event, is_keyed
from antrian.domain.headers import LARGEST_COUNT, LATEST_MILLISECOND
from antrian.domain.message import Message, decode
from antrian.history.dead_letter import DeadLetter
from antrian.history.header_json import pack

#: Names of the arrivals, beside the names of events.
QUEUED, SCHEDULED, BURIED = EventName.QUEUED, EventName.SCHEDULED, EventName.BURIED

#: The last second that makes sense: the end of the year 9999.
LATEST = LATEST_MILLISECOND / 1000

#: Longer names of lanes, services and the like are cut: they are of no use, and in every index.
LONGEST_NAME = 200

_NOTHING: dict[str, Any] = {}

#: As JSON writes it. SQLite's JSON ends a text there, so that a message would not be found by its own id.
_NUL = b"\\u0000"

#: Events above so many bytes are kept without their details.
LARGEST_EVENT = 1_000_000


class EventEntry(NamedTuple):
    """An event.

    Attributes:
        offset: its place in the journal.
        event: what it says, with bounded texts and numbers.
        body: as it was written; None when it is too large to be kept.
    """

    offset: int
    event: Event
    body: bytes | None


class MessageEntry(NamedTuple):
    """A copy of a message came into the broker.

    Attributes:
        offset: its place in the journal.
        name: `message.queued`, `message.scheduled` or `message.buried`.
        message_id: the id that it is known by.
        generation: which copy it is.
        lane: for which lane.
        priority: the broker's number.
        source: the publishing service.
        message: what it says; None when it cannot be read.
        delay: seconds on the delay ladder; only for `message.scheduled`.
        letter: the dead letter; only for `message.buried`.
        headers: AMQP headers as JSON; only for `message.buried`.
    """

    offset: int
    name: str
    message_id: str
    generation: int
    lane: str
    priority: int
    source: str
    message: Message | None
    delay: int | None = None
    letter: DeadLetter | None = None
    headers: str = "{}"


Entry = EventEntry | MessageEntry


class EntryReader:
    """Reads the deliveries of one namespace's journal.

    Args:
        names: of the namespace.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    def read(self, delivery: StreamEntry) -> Entry | None:
        """What a delivery says; None for what is not ours."""
        names, exchange = self._names, delivery.exchange
        if exchange == names.events:
            return _told(delivery)
        if exchange == names.messages:
            return _arrived(delivery, QUEUED)
        if exchange == names.scheduled:
            return _arrived(delivery, SCHEDULED, ladder_delay(delivery.routing_key))
        if exchange == names.dead:
            return self._buried(delivery)
        return None

    def _buried(self, delivery: StreamEntry) -> MessageEntry:
        letter = DeadLetter.of(_found(delivery, self._names.dead), self._names, now=0.0)
        return MessageEntry(
            delivery.offset,
            BURIED,
            letter.message_id,
            bounded(letter.generation),
            letter.lane,
            bounded(letter.priority),
            short(letter.source),
            letter.message,
            letter=letter,
            headers=_packed(delivery.properties.headers),
        )


def _told(delivery: StreamEntry) -> EventEntry | None:
    event = read_event(delivery.body)
    if event is None or not event.name or not is_keyed(event.name, delivery.routing_key):
        return None
    return EventEntry(delivery.offset, event, delivery.body if len(delivery.body) <= LARGEST_EVENT else None)


def read_event(body: bytes) -> Event | None:
    """As `Event.decode`, with bounded texts and numbers; None for what is no event.

    There are many events, so those that are as they should be are read by pydantic's parser, which is thrice as fast.
    """
    try:
        values = from_json(body)
        name, lane, at = values["name"], values["lane"], values["at"]
        message_id, source = values.get("message_id", ""), values.get("source", "")
        generation, attempt = values.get("generation", 0), values.get("attempt", 0)
        details = values.get("details", _NOTHING)
    except (ValueError, TypeError, KeyError, AttributeError):
        return _read_with_care(body)
    is_plain = (
        type(at) is float
        and 0 <= at <= LATEST
        and type(generation) is int
        and type(attempt) is int
        and 0 <= generation <= LARGEST_COUNT
        and 0 <= attempt <= LARGEST_COUNT
        and type(details) is dict
        and type(name) is type(lane) is type(message_id) is type(source) is str
        and len(name) + len(lane) + len(message_id) + len(source) <= LONGEST_NAME
        and _NUL not in body
    )
    if not is_plain:
        return _read_with_care(body)
    return Event(name, at, lane, message_id, generation, attempt, source, details)


def _read_with_care(body: bytes) -> Event | None:
    try:
        event = Event.decode(body)
    except (OverflowError, RecursionError):
        return None
    return _tamed(event) if event is not None else None


def _tamed(event: Event) -> Event:
    return Event(
        short(event.name),
        float(min(max(event.at, 0), LATEST)),
        short(event.lane),
        short(event.message_id),
        bounded(event.generation),
        bounded(event.attempt),
        short(event.source),
        event.details,
    )


def _arrived(delivery: StreamEntry, name: str, delay: int | None = None) -> MessageEntry:
    found = _found(delivery, "")
    lane = found.lane
    try:
        message = decode(delivery.body, delivery.properties, lane, now=0.0)
    except MalformedMessage:
        source = delivery.properties.app_id
        priority = bounded(delivery.properties.priority)
        text = short(source) if isinstance(source, str) else ""
        generation = bounded(found.generation)
        return MessageEntry(delivery.offset, name, found.message_id, generation, lane, priority, text, None, delay)
    return MessageEntry(
        delivery.offset,
        name,
        message.message_id,
        message.generation,
        lane,
        message.priority,
        message.body.source,
        message,
        delay,
    )


def _found(delivery: StreamEntry, queue: str) -> Found:
    return Found(queue, delivery.routing_key, delivery.properties, delivery.body)


def tame(value: Any, depth: int = 20) -> Any:
    """A JSON value that any JSON writer takes: no half surrogate pairs, no infinite numbers, no endless nesting."""
    match value:
        case str():
            return short(value, len(value))
        case float() if not math.isfinite(value):
            return None
        case dict() | list() if not depth:
            return None
        case dict():
            return {short(key): tame(one, depth - 1) for key, one in value.items()}
        case list():
            return [tame(one, depth - 1) for one in value]
    return value


def short(text: str, longest: int = LONGEST_NAME) -> str:
    """The text as SQLite takes it, and not longer than `longest` characters."""
    if len(text) <= longest and text.isascii() and "\0" not in text:
        return text
    text = text[:longest].replace("\0", "?")
    # JSON may hold half of a surrogate pair, which is no UTF-8.
    return text if text.isascii() else text.encode(errors="replace").decode()


def bounded(number: object) -> int:
    """A count within what makes sense; 0 for anything that is no count."""
    return min(max(number, 0), LARGEST_COUNT) if isinstance(number, int) else 0


def _packed(headers: Mapping[str, Any] | None) -> str:
    try:
        return plain_json(pack(headers or {}))
    except RecursionError:
        return "{}"


def plain_json(value: Mapping[str, Any]) -> str:
    """A table of AMQP or JSON values as JSON text; what JSON does not know becomes its own description."""
    try:
        return json.dumps(value, default=_plain, skipkeys=True)
    except (ValueError, RecursionError):
        return "{}"


def json_table(text: str) -> Mapping[str, Any]:
    """A JSON object; empty for anything that is none."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)
