"""Observers are told what a lane does, and take no part in it: metrics and traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from antrian.domain.events import Event
from antrian.domain.message import Message
from antrian.providers.contract import SendResult

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProviderCall:
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


class Observer(Protocol):
    """What a worker tells; called in the event loop, so it must be quick."""

    def called(self, call: ProviderCall) -> None:
        """The provider was called."""

    def recorded(self, event: Event) -> None:
        """This worker's own event is in the broker."""

    def heard(self, event: Event, *, counts: bool) -> None:
        """Another's event came through the stream.

        It counts when it is news (not while a starting worker reads up) and this is the consumer at work on the lane:
        all of its consumers hear of it.
        """

    def broken(self) -> None:
        """The lane's code failed; it begins again."""


class Observers:
    """All observers of a worker.

    Args:
        observers: told in this order.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def called(self, call: ProviderCall) -> None:
        """See `Observer`."""
        for observer in self._observers:
            try:
                observer.called(call)
            except Exception:  # noqa: BLE001 (between a send and its record nothing may fail: the message would go out twice)
                _log.exception("observer.failed", lane=call.message.lane)

    def recorded(self, event: Event) -> None:
        """See `Observer`."""
        for observer in self._observers:
            observer.recorded(event)

    def heard(self, event: Event, *, counts: bool) -> None:
        """See `Observer`."""
        for observer in self._observers:
            observer.heard(event, counts=counts)

    def broken(self) -> None:
        """See `Observer`."""
        for observer in self._observers:
            observer.broken()
