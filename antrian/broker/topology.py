"""Every exchange, queue and binding of Antrian, as data.

Names come from here alone: nothing else joins strings into a queue's name. `topology_sync` compares this data with a
broker and applies it. The objects are listed in the order in which they must be declared: what a queue dead-letters
into exists before the queue, and the entrance (`wa.messages` to a lane) is opened last, so that a half-applied
topology refuses messages rather than losing them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from antrian.domain.delay_ladder import LADDER_LEVELS, highest_level
from antrian.domain.event_name import EventName
from antrian.domain.settings import Settings

#: RabbitMQ's highest priority in use; larger numbers from foreign publishers are capped to it by the broker.
MAX_PRIORITY = 10

#: The header of a message that is to ring when it comes off the delay ladder.
DUE_BELL = "antrian-urgent"

#: How long, in milliseconds, a quorum queue keeps the place of a consumer whose node vanished; the broker's own default
#: is 60 s. It begins when the queue's new leader believes it, which may take another 7 s (see docs/howto/cluster.md).
CONSUMER_DISCONNECTED_TIMEOUT = 2_000

#: RabbitMQ versions (major, minor): streams came with 3.9, and quorum queues order strictly by priority since 4.3.
STREAMS_NEED = (3, 9)
QUORUM_NEEDS = (4, 3)

#: Streams drop whole segments only, so the segment's size (bytes) is the granularity of retention.
JOURNAL_SEGMENT_BYTES = 50_000_000
OUTCOMES_SEGMENT_BYTES = 10_000_000
CONTACTS_SEGMENT_BYTES = 50_000_000

#: Events beside `contact.*` that the contacts stream keeps: what gives a slot, and what gives it back.
CONTACTS_KEEP = (
    EventName.HELD,
    EventName.RELEASED,
    EventName.CLEARED,
    EventName.CANCELLED,
    EventName.EXPIRED,
    EventName.OPTED_OUT,
)

#: Last words of the delay ladder's routing keys that are no lanes: what waits for these queues. No lane begins with _.
DELAYED_RECEIPTS = "_receipts"
DELAYED_CALLBACKS = "_callbacks"
DEAD_CALLBACKS = "_dead_callbacks"

#: How long, in milliseconds, a report and what follows from it wait for a process that works on them.
_RECEIPTS_AGE = 7 * 86_400_000

Arguments = Mapping[str, str | int | bool]

#: What a quorum queue needs to dead-letter with the broker's own confirms.
_AT_LEAST_ONCE: dict[str, str | int | bool] = {
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: Literal["direct", "fanout", "headers", "topic"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue or stream with its `x-` arguments."""

    name: str
    arguments: Arguments = field(default_factory=dict)

    @property
    def is_stream(self) -> bool:
        """Whether this is an append-only stream."""
        return self.arguments.get("x-queue-type") == "stream"


@dataclass(frozen=True, slots=True)
class Binding:
    """What `source` passes on to `destination` for keys that match `key`.

    Attributes:
        source: an exchange.
        destination: a queue or an exchange.
        key: the pattern; empty where the kind of the source ignores it.
        to: the kind of the destination.
        header: of a headers exchange, the header that must be true.
    """

    source: str
    destination: str
    key: str
    to: Literal["queue", "exchange"] = "queue"
    header: str = ""

    @property
    def arguments(self) -> Arguments:
        """The arguments of the binding."""
        return {"x-match": "all", self.header: True} if self.header else {}


@dataclass(frozen=True, slots=True)
class Names:
    """The name of every object of one namespace."""

    namespace: str = "wa"

    @property
    def messages(self) -> str:
        """Direct exchange where publishers publish; the routing key is the lane."""
        return f"{self.namespace}.messages"

    @property
    def scheduled(self) -> str:
        """Topic exchange for messages with a time of their own: to the ladder and the journal in one publish."""
        return f"{self.namespace}.scheduled"

    @property
    def due(self) -> str:
        """Topic exchange where delayed messages come out."""
        return f"{self.namespace}.due"

    @property
    def due_urgent(self) -> str:
        """Headers exchange that lets through what rings when it comes out."""
        return f"{self.namespace}.due.urgent"

    @property
    def dead(self) -> str:
        """Topic exchange for dead letters, and the queue that keeps them."""
        return f"{self.namespace}.dead"

    @property
    def events(self) -> str:
        """Topic exchange for what happened."""
        return f"{self.namespace}.events"

    @property
    def journal(self) -> str:
        """Stream of everything, in order."""
        return f"{self.namespace}.journal"

    @property
    def outcomes(self) -> str:
        """Stream of attempts and their outcomes: the source of the ledger."""
        return f"{self.namespace}.outcomes"

    @property
    def contacts(self) -> str:
        """Stream of what is known of people: the source of the contacts, and of the slots that were given."""
        return f"{self.namespace}.contacts"

    @property
    def receipts(self) -> str:
        """Queue of what providers report, for the work that follows from it."""
        return f"{self.namespace}.receipts"

    @property
    def callbacks(self) -> str:
        """Queue of what the owner's own services are still to be told."""
        return f"{self.namespace}.callbacks"

    @property
    def dead_callbacks(self) -> str:
        """Queue of what they could not be told."""
        return f"{self.namespace}.callbacks.dead"

    @property
    def urgent(self) -> str:
        """Fanout exchange that older publishers ring after an urgent message; it can do nothing else."""
        return f"{self.namespace}.urgent"

    @property
    def control(self) -> str:
        """Fanout exchange to one exclusive queue per consumer process."""
        return f"{self.namespace}.control"

    def lane(self, lane: str) -> str:
        """The lane's queue, and the fanout exchange before it."""
        return f"{self.namespace}.lane.{lane}"

    @property
    def states(self) -> str:
        """Direct exchange to the lanes' states; the routing key is the lane."""
        return f"{self.namespace}.state"

    def state(self, lane: str) -> str:
        """Last-value queue: is the lane paused, by whom, since when."""
        return f"{self.namespace}.state.{lane}"

    def delay(self, level: int) -> str:
        """One level of the delay ladder, exchange and queue: 2**level seconds."""
        return f"{self.namespace}.delay.{level:02d}"

    def ladder_entrance(self, delay: float) -> str:
        """The exchange to publish to for a delay in seconds, so that no level above the highest it needs is asked."""
        return self.delay(highest_level(delay))

    @property
    def dead_lock(self) -> str:
        """Exclusive queue of the process that scans the dead letters now; not in the topology, gone with its owner."""
        return f"{self.namespace}.lock.dead"

    @property
    def ladder_lock(self) -> str:
        """Exclusive queue of the process that scans the delay ladder now; gone with its owner."""
        return f"{self.namespace}.lock.ladder"

    def undo_lock(self, undo_id: str) -> str:
        """Exclusive queue of the process that undoes that clearing or purge now; gone with its owner."""
        return f"{self.namespace}.lock.undo.{undo_id}"


@dataclass(frozen=True, slots=True)
class Topology:
    """All objects for one namespace, in the order in which to declare them.

    Attributes:
        names: of the namespace.
        exchanges: declared first.
        queues: declared second.
        bindings: made last.
        oldest_broker: the RabbitMQ version (major, minor) that it needs at least.
    """

    names: Names
    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]
    oldest_broker: tuple[int, int] = STREAMS_NEED


def topology(settings: Settings, only: Iterable[str] | None = None) -> Topology:
    """What the settings ask for; pure.

    Args:
        settings: of the process.
        only: names of the lanes that are meant; None for all that the settings describe.
    """
    names = Names(settings.whatsapp_queue_namespace)
    lanes = settings.lanes.names if only is None else tuple(only)
    return Topology(
        names=names,
        oldest_broker=QUORUM_NEEDS if settings.whatsapp_queue_type == "quorum" else STREAMS_NEED,
        exchanges=tuple(_exchanges(names, lanes)),
        queues=tuple(_queues(names, lanes, settings)),
        bindings=tuple(_bindings(names, lanes)),
    )


def _exchanges(names: Names, lanes: tuple[str, ...]) -> Iterator[Exchange]:
    yield Exchange(names.dead, "topic")
    yield Exchange(names.events, "topic")
    yield Exchange(names.control, "fanout")
    yield Exchange(names.urgent, "fanout")
    yield Exchange(names.states, "direct")
    yield Exchange(names.due_urgent, "headers")
    yield Exchange(names.due, "topic")
    for level in range(LADDER_LEVELS):
        yield Exchange(names.delay(level), "topic")
    yield Exchange(names.scheduled, "topic")
    for lane in lanes:
        yield Exchange(names.lane(lane), "fanout")
    yield Exchange(names.messages, "direct")


def _queues(names: Names, lanes: tuple[str, ...], settings: Settings) -> Iterator[Queue]:
    quorum = settings.whatsapp_queue_type == "quorum"
    retention = settings.whatsapp_queue_retention_days * 86_400
    # A little over the window, because retention drops whole segments and clocks differ. What was sent within a day is
    # counted from it, too.
    ledger_window = max(settings.whatsapp_queue_dedupe_hours, 24) * 3_600 * 1.1 + 3_600
    yield Queue(names.journal, _stream(retention, JOURNAL_SEGMENT_BYTES))
    yield Queue(names.outcomes, _stream(ledger_window, OUTCOMES_SEGMENT_BYTES))
    contacts_age = settings.whatsapp_queue_contacts_days * 86_400
    yield Queue(names.contacts, _stream(contacts_age, CONTACTS_SEGMENT_BYTES))
    yield Queue(names.dead, _plain(quorum=quorum))
    # One process works on them at a time, so that what follows from a report follows once.
    in_turn: dict[str, str | int | bool] = {"x-single-active-consumer": True, "x-message-ttl": _RECEIPTS_AGE}
    yield Queue(names.receipts, _plain(quorum=quorum) | in_turn)
    yield Queue(names.callbacks, _plain(quorum=quorum) | in_turn)
    yield Queue(names.dead_callbacks, _plain(quorum=quorum))
    for lane in lanes:
        yield Queue(names.state(lane), _plain(quorum=quorum) | {"x-max-length": 1, "x-overflow": "drop-head"})
        yield Queue(names.lane(lane), _lane(names, quorum=quorum))
    for level in range(LADDER_LEVELS):
        yield Queue(names.delay(level), _rung(names, level, quorum=quorum))


def _bindings(names: Names, lanes: tuple[str, ...]) -> Iterator[Binding]:
    yield Binding(names.events, names.journal, "#")
    yield Binding(names.events, names.outcomes, "outcome.#")
    yield Binding(names.events, names.contacts, "contact.#")
    for name in CONTACTS_KEEP:
        yield Binding(names.events, names.contacts, f"{name}.#")
    yield Binding(names.events, names.receipts, "receipt.#")
    yield Binding(names.dead, names.journal, "#")
    yield Binding(names.dead, names.dead, "#")
    yield Binding(names.urgent, names.control, "", to="exchange")
    yield Binding(names.due_urgent, names.control, "", to="exchange", header=DUE_BELL)
    yield Binding(names.due, names.due_urgent, "#", to="exchange")
    yield Binding(names.due, names.receipts, f"#.{DELAYED_RECEIPTS}")
    yield Binding(names.due, names.callbacks, f"#.{DELAYED_CALLBACKS}")
    yield Binding(names.due, names.dead_callbacks, f"#.{DEAD_CALLBACKS}")
    for lane in lanes:
        yield Binding(names.states, names.state(lane), lane)
        yield Binding(names.due, names.lane(lane), f"#.{lane}")
    for level in range(LADDER_LEVELS):
        below = names.delay(level - 1) if level else names.due
        skipped = "*." * (LADDER_LEVELS - 1 - level)
        yield Binding(names.delay(level), names.delay(level), f"{skipped}1.#")
        yield Binding(names.delay(level), below, f"{skipped}0.#", to="exchange")
    for lane in lanes:
        # By lane, so that a misspelt lane is unroutable here too, and not only when its time has come.
        yield Binding(names.scheduled, names.journal, f"#.{lane}")
        yield Binding(names.scheduled, names.delay(LADDER_LEVELS - 1), f"#.{lane}", to="exchange")
        yield Binding(names.lane(lane), names.journal, "")
        yield Binding(names.lane(lane), names.lane(lane), "")
        yield Binding(names.messages, names.lane(lane), lane, to="exchange")
        # To the lane first: with this key alone a message must not reach the consumers and no queue.
        yield Binding(names.messages, names.lane(lane), bell_key(lane), to="exchange")
        yield Binding(names.messages, names.control, bell_key(lane), to="exchange")


def bell_key(lane: str) -> str:
    """The second routing key of an urgent message; no lane's name has a dot."""
    return f"urgent.{lane}"


def _stream(max_age_seconds: float, segment_bytes: int) -> Arguments:
    return {
        "x-queue-type": "stream",
        "x-max-age": f"{round(max_age_seconds)}s",
        "x-stream-max-segment-size-bytes": segment_bytes,
    }


def _plain(*, quorum: bool) -> dict[str, str | int | bool]:
    # A quorum queue would drop what was looked at (get, then requeue) more often than its delivery limit.
    return {"x-queue-type": "quorum", "x-delivery-limit": -1} if quorum else {"x-queue-type": "classic"}


def _lane(names: Names, *, quorum: bool) -> Arguments:
    common: dict[str, str | int | bool] = {"x-single-active-consumer": True, "x-dead-letter-exchange": names.dead}
    if quorum:
        # Quorum queues (4.3) always order by priority and refuse x-max-priority.
        common["x-consumer-disconnected-timeout"] = CONSUMER_DISCONNECTED_TIMEOUT
        return _plain(quorum=True) | common | _AT_LEAST_ONCE
    return _plain(quorum=False) | common | {"x-max-priority": MAX_PRIORITY}


def _rung(names: Names, level: int, *, quorum: bool) -> Arguments:
    below = names.delay(level - 1) if level else names.due
    arguments: dict[str, str | int | bool] = {"x-message-ttl": 2**level * 1_000, "x-dead-letter-exchange": below}
    return _plain(quorum=quorum) | arguments | (_AT_LEAST_ONCE if quorum else {})
