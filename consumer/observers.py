"""Who is told what a worker does without taking part in it: metrics and traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from broker.events import Event
from broker.message import Message
from consumer.providers.contract import SendResult

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the provider, which has ended.

    Attributes:
        message: what was sent.
        provider: the provider's name.
        began: monotonic seconds.
        ended: monotonic seconds.
        at: when it ended, unix seconds.
        result: what came of it.
        excused: it was allowed to begin before the pause was over: it was urgent, or an admin forced it.
    """

    message: Message
    provider: str
    began: float
    ended: float
    at: float
    result: SendResult
    excused: bool = False

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


class Witness(Protocol):
    """What a worker tells; called in the worker's own thread, so it must be quick."""

    def called(self, call: Call) -> None:
        """The provider was called."""

    def recorded(self, event: Event) -> None:
        """This worker's own event is in the broker."""

    def heard(self, event: Event, *, counts: bool) -> None:
        """Somebody else's event came through the stream.

        It counts when it is news (not while a starting worker reads up) and this is the consumer at work on the lane:
        all of its consumers hear of it.
        """


class Audience:
    """All witnesses of a worker.

    Args:
        witnesses: told in this order.
    """

    def __init__(self, witnesses: Sequence[Witness]) -> None:
        self._witnesses = witnesses

    def called(self, call: Call) -> None:
        """See `Witness`."""
        for witness in self._witnesses:
            try:
                witness.called(call)
            except Exception:  # noqa: BLE001 (between a send and its record nothing may fail: the message would go out twice)
                _log.exception("witness.failed", lane=call.message.lane)

    def recorded(self, event: Event) -> None:
        """See `Witness`."""
        for witness in self._witnesses:
            witness.recorded(event)

    def heard(self, event: Event, *, counts: bool) -> None:
        """See `Witness`."""
        for witness in self._witnesses:
            witness.heard(event, counts=counts)
