"""What the outcomes stream shows to a worker: how far it has read, and what it has learnt from it; no I/O."""

import uuid

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from consumer.ledger import Ledger
from consumer.outstanding import Outstanding
from consumer.session import Offset
from consumer.turn import Turn
from consumer.witness import Audience

BARRIER = EventName.BARRIER


class OutcomeFeed:
    """Folds the stream's entries into all that a worker remembers.

    Args:
        lane: the worker's lane.
        window: seconds that the ledger goes back.
        audience: told what happens.

    Attributes:
        identity: what our own events are known by.
        ledger: what has been attempted.
        turn: whose turn it is.
        outstanding: outcomes of our own that are not on record yet.
    """

    def __init__(self, lane: str, window: float, audience: Audience) -> None:
        self.identity = str(uuid.uuid4())
        self.ledger = Ledger(lane, window)
        self.turn = Turn()
        self.outstanding = Outstanding()
        self._lane = lane
        self._audience = audience
        self._is_live = False
        self._next_offset: int | None = None
        self._begins = False
        self._beginning: tuple[int, Event] | None = None
        self._known_until = -1
        self._mark = ""

    @property
    def position(self) -> int | None:
        """Offset of the entry that comes next; None when that is not known."""
        return self._next_offset

    def resume(self) -> Offset:
        """Where to go on reading: all that the broker has kept, when nothing was read yet.

        The consumer may have been away for longer than the dedupe window. What it reads up then is no news.
        """
        self._is_live = self._next_offset is not None
        self._begins = self._next_offset is None
        return "first" if self._next_offset is None else self._next_offset

    def has_caught_up(self) -> None:
        """All that comes from now on is news."""
        self._is_live = True

    def lose_position(self) -> None:
        """Read from the beginning the next time: a stream that is made again would keep silent up to the old offset."""
        if self._next_offset is not None:
            self._known_until = max(self._known_until, self._next_offset - 1)
        self._next_offset = None

    def has_passed(self, mark: str) -> bool:
        """Whether the stream has shown this barrier of ours, and so all that came before it."""
        return self._mark == mark

    def confirmed(self, event: Event) -> None:
        """An event of our own is on record; it comes through the stream later, and is no news then."""
        self.ledger.apply(event)
        self.turn.see(event, own=True)
        self._audience.recorded(event)

    def take(self, event: Event, offset: int) -> None:
        """Learn of one entry of the stream."""
        if self._begins:
            self._begin(event, offset)
        elif self._next_offset is None:
            # It was on its way when the position was lost, and comes again.
            return
        self._next_offset = offset + 1
        self.outstanding.shown(event)
        if event.source == self.identity:
            if event.name == BARRIER:
                self._mark = event.message_id
        elif offset > self._known_until:
            self.ledger.apply(event)
            self._hear(event)

    def _begin(self, event: Event, offset: int) -> None:
        """The stream is read from its beginning: what was learnt of this very stream is not learnt twice.

        A crash that counts twice would make a message a poisonous one. In doubt it is another stream, and all of it is
        news.
        """
        if self._beginning != (offset, event):
            self._known_until = -1
        self._beginning = (offset, event)
        self._begins = False

    def _hear(self, event: Event) -> None:
        if event.lane != self._lane:
            return
        if self._is_live:
            self.turn.see(event, own=False)
        self._audience.heard(event, counts=self._is_live and self.turn.is_ours)
