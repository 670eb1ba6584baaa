"""Waiting for what becomes of one message."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pika.exceptions import AMQPError

from antrian.broker.connection import bind_own_queue, open_channel
from antrian.broker.topology import Names
from antrian.domain.errors import BrokerError
from antrian.domain.event_name import ANY_OUTCOME
from antrian.domain.events import Event, outcome_key
from antrian.domain.lifecycle import ENDS
from antrian.domain.message import Message
from publisher import errors


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message.

    Attributes:
        message_id: which message.
        status: `sent`, `dead`, `expired`, `cancelled`, `cleared`, `duplicate`, or `pending` while it is unknown.
        attempt: the attempt that decided it; 0 where none was made.
        provider_id: the provider's own name for the message, when it gave one.
        detail: why, where it was not sent.
    """

    message_id: str
    status: str
    attempt: int = 0
    provider_id: str | None = None
    detail: str = ""

    @classmethod
    def of(cls, event: Event) -> "Outcome":
        """The outcome that a final event tells of."""
        return cls(
            message_id=event.message_id,
            status=ENDS[event.name],
            attempt=event.attempt,
            provider_id=event.details.get("provider_id"),
            detail=str(event.details.get("detail", "")),
        )


class OutcomeWatch(AbstractContextManager["OutcomeWatch"]):
    """Listens for one message's final event from before it is published.

    Raises:
        BrokerUnavailable: it cannot listen; publish nothing.
    """

    def __init__(self, urls: Sequence[str], names: Names, message: Message, *, heartbeat: int) -> None:
        self._urls = urls
        self._names = names
        self._message = message
        self._heartbeat = heartbeat
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        try:
            opening = open_channel(self._urls, name="antrian outcome watch", heartbeat=self._heartbeat)
            self._channel = self._resources.enter_context(opening)
            pattern = outcome_key(ANY_OUTCOME, self._message.lane, self._message.message_id)
            self._queue = bind_own_queue(self._channel, self._names.events, pattern)
        except (BrokerError, AMQPError) as error:
            self._resources.close()
            raise errors.BrokerUnavailable(f"nothing was published: {error}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._resources.close()

    def wait(self, deadline: float) -> Outcome:
        """The outcome, or `pending` at the deadline (monotonic seconds) or when the connection breaks."""
        try:
            while (remaining := deadline - time.monotonic()) > 0:
                for method, _properties, body in self._channel.consume(
                    self._queue, auto_ack=True, inactivity_timeout=remaining
                ):
                    event = Event.of_delivery(body, method.routing_key) if method and body else None
                    # A routing key may be shared: long ids are cut in it, and a strange one may read as a pattern.
                    if event and event.message_id == self._message.message_id and event.name in ENDS:
                        return Outcome.of(event)
                    break
        except AMQPError:
            # The message is safe in the queue; only the news of it is lost.
            pass
        return Outcome(self._message.message_id, "pending")
