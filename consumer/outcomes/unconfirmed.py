"""Outcomes that are known here and must get on record: what a lost connection took with it.

    unrecorded → confirmed by the broker: doubtful → shown by the stream: done with
                                             └→ the stream has come to its end without it: missing, recorded again

A confirm alone is no proof: RabbitMQ 3.10 confirms in its first moments what its streams, which come up last, never
get. And the stream may be quicker than the confirm, which waits for the journal as well.
"""

from collections import deque

from antrian.domain.events import Event


class Unconfirmed:
    """Decides what to record next, and when all is on record; does nothing itself."""

    def __init__(self) -> None:
        self._unrecorded: deque[Event] = deque()
        self._doubtful: list[Event] = []
        self._missing: deque[Event] = deque()
        self._shown_early: list[Event] = []

    @property
    def is_empty(self) -> bool:
        """Whether every outcome that is known here is on record."""
        return not (self._unrecorded or self._doubtful or self._missing)

    @property
    def is_doubtful(self) -> bool:
        """Whether the broker has confirmed something that the stream has not shown yet."""
        return bool(self._doubtful)

    @property
    def next(self) -> Event | None:
        """What is to be recorded next, the oldest first; None when all of it has been confirmed."""
        waiting = self._missing or self._unrecorded
        return waiting[0] if waiting else None

    def add(self, event: Event) -> None:
        """It could not be recorded, or it is unknown whether it was."""
        self._unrecorded.append(event)

    def confirmed(self) -> bool:
        """The broker has confirmed `next`: it counts as recorded when the stream shows it, or has shown it already.

        Returns:
            Whether this is its first confirm.
        """
        is_first = not self._missing
        event = (self._unrecorded if is_first else self._missing).popleft()
        if not any(_is_same(one, event) for one in self._shown_early):
            self._doubtful.append(event)
        self._shown_early = _without(event, self._shown_early)
        return is_first

    def shown(self, event: Event) -> None:
        """The stream has this event."""
        if self.is_empty:
            return
        self._doubtful = _without(event, self._doubtful)
        if any(_is_same(one, event) for one in (*self._missing, *self._unrecorded)):
            self._shown_early.append(event)

    def find_missing(self) -> int:
        """The stream has come to its end: what it does not show is to be recorded again.

        Returns:
            How many events that are.
        """
        found, self._doubtful = self._doubtful, []
        self._missing.extend(found)
        return len(found)


def _without(event: Event, events: list[Event]) -> list[Event]:
    return [one for one in events if not _is_same(one, event)]


def _is_same(one: Event, other: Event) -> bool:
    return (one.name, one.message_id, one.at, one.source) == (other.name, other.message_id, other.at, other.source)
