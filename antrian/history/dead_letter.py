"""One dead letter: what became of a message that was given up, as its copy in the dead-letter queue tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pika

from antrian.broker.queue_scan.publication import Found
from antrian.broker.topology import Names
from antrian.domain.errors import MalformedMessage
from antrian.domain.failure_class import BY_BROKER, UNKNOWN
from antrian.domain.headers import read_failures
from antrian.domain.message import AttemptFailure, Message, decode
from antrian.history.header_json import unpack
from antrian.history.possible_arrival import is_doubtful
from antrian.history.records import DeadRecord


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it lies in its queue.

    Attributes:
        message_id: the message's own, or the one that it is known by.
        lane: where it was to be sent from.
        priority: the broker's number.
        generation: which copy of the message this is.
        attempts: how many attempts were made; 0 when the first never began.
        failures: what went wrong, oldest first.
        source: the publishing service; empty when it does not say.
        message: the message itself; None when it cannot be read.
        problem: why it cannot be read; empty when it can.
        body: as it arrived.
        headers: as they arrived.
        is_broker_s: whether the broker itself gave it up: then the journal has never seen the letter.
    """

    message_id: str
    lane: str
    priority: int
    generation: int
    attempts: int
    failures: tuple[AttemptFailure, ...]
    source: str
    message: Message | None
    problem: str
    body: bytes
    headers: Mapping[str, Any] = field(default_factory=dict)
    is_broker_s: bool = False

    @property
    def copy(self) -> tuple[str, int]:
        """What it is known by: the message, and which copy of it."""
        return self.message_id, self.generation

    @property
    def failure_class(self) -> str:
        """The class of the last failure; `unknown` when none is on record."""
        return self.failures[-1].failure_class if self.failures else UNKNOWN

    @property
    def code(self) -> str:
        """The code of the last failure; `unknown` when none is on record."""
        return self.failures[-1].code if self.failures else UNKNOWN

    @property
    def was_uncertain(self) -> bool:
        """Whether any of the failures on record left open if the message was sent."""
        return any(is_doubtful(failure.failure_class, failure.code) for failure in self.failures)

    @property
    def died_at(self) -> float | None:
        """When it was given up, unix seconds; None when nothing says so."""
        return self.failures[-1].at if self.failures else None

    @classmethod
    def of(cls, found: Found, names: Names, *, now: float) -> "DeadLetter":
        """The letter in a delivery from the dead-letter queue; never fails.

        Args:
            found: what the queue held.
            names: of the namespace, to tell the broker's own dead letters from those of a consumer.
            now: unix seconds, for messages that do not say when they were made.
        """
        message, problem = _read(found, now)
        given_up = _given_up_by_broker(found.properties.headers, names.lane(found.lane))
        failures = message.failures if message else _legible_failures(found.properties.headers)
        return cls(
            message_id=found.message_id,
            lane=found.lane,
            priority=found.properties.priority or 0,
            generation=found.generation,
            attempts=max((failure.attempt for failure in failures), default=0),
            failures=(*failures, given_up) if given_up else failures,
            source=message.body.source if message else str(found.properties.app_id or ""),
            message=message,
            problem=problem,
            body=found.body,
            headers=found.properties.headers or {},
            is_broker_s=given_up is not None,
        )

    @classmethod
    def recorded(cls, record: DeadRecord, names: Names) -> "DeadLetter":
        """The letter that the history has a record of; of its failures, at least the last."""
        properties = pika.BasicProperties(
            message_id=record.message_id,
            priority=record.priority,
            app_id=record.source or None,
            headers=unpack(dict(record.headers)),
        )
        found = Found(names.dead, record.lane, properties, record.body)
        letter = cls.of(found, names, now=record.died_at)
        # The journal keeps no header that is a list.
        last = AttemptFailure(record.attempts, record.died_at, record.failure_class, record.code, record.detail)
        failures, attempts = letter.failures or (last,), max(letter.attempts, record.attempts)
        return replace(letter, generation=record.generation, failures=failures, attempts=attempts)


def _read(found: Found, now: float) -> tuple[Message | None, str]:
    try:
        return decode(found.body, found.properties, found.lane, now=now), ""
    except MalformedMessage as error:
        return None, error.detail


def _given_up_by_broker(headers: Mapping[str, Any] | None, lane_queue: str) -> AttemptFailure | None:
    deaths = (headers or {}).get("x-death")
    # The delay ladder leaves its marks here as well; only a death in the lane's own queue is a dead letter.
    for death in deaths if isinstance(deaths, list) else ():
        if isinstance(death, Mapping) and death.get("queue") == lane_queue:
            reason, at = str(death.get("reason", "unknown")), death.get("time")
            when = at.timestamp() if isinstance(at, datetime) else 0.0
            return AttemptFailure(0, when, BY_BROKER, reason, "the broker gave it up before a consumer could handle it")
    return None


def _legible_failures(headers: Mapping[str, Any] | None) -> tuple[AttemptFailure, ...]:
    try:
        return read_failures(headers)
    except MalformedMessage:
        return ()
