"""The outcomes stream: one reading for all lanes of a process, and what each lane has learnt from it; no I/O."""

import time
import uuid
from collections.abc import Callable, Iterable

import structlog

from antrian.broker.stream.entry import Start
from antrian.contacts.book import ContactBook
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.receipt import SESSION_WORDS, SessionState, read_session
from consumer.lane.ledger import Ledger
from consumer.observers import Observers
from consumer.outcomes.active_consumer import ActiveConsumer
from consumer.outcomes.unconfirmed import Unconfirmed

_log = structlog.get_logger()


class LaneOutcomes:
    """All that one lane remembers of the stream; it outlives every connection.

    Args:
        lane: its name.
        window: seconds that the ledger goes back.
        observers: told what happens.
        book: what is known of the recipients; of the process.
        clock: unix seconds.

    Attributes:
        lane: its name.
        identity: the source of this lane's own events.
        ledger: what has been attempted.
        book: see above.
        active: which consumer of the lane is active.
        unconfirmed: outcomes of our own that are not on record yet.
        next_offset: the offset after the latest entry that was taken; 0 before the first.
    """

    def __init__(
        self,
        lane: str,
        window: float,
        observers: Observers,
        book: ContactBook,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lane = lane
        self.identity = str(uuid.uuid4())
        self.ledger = Ledger(lane, window, clock)
        self.book = book
        self.active = ActiveConsumer()
        self.unconfirmed = Unconfirmed()
        self.next_offset = 0
        self._observers = observers
        self._is_live = False
        self._mark = self._mark_in_contacts = ""

    def tell(self, observers: Observers) -> None:
        """Others are told what happens from now on."""
        self._observers = observers

    def read_up_from(self, *, the_beginning: bool) -> None:
        """The stream is read again. What it shows from its beginning on is not news until `has_caught_up`.

        The consumer may have been away for longer than the dedupe window.
        """
        self._is_live = not the_beginning

    def has_caught_up(self) -> None:
        """All that comes from now on is news."""
        self._is_live = True

    def has_passed(self, mark: str) -> bool:
        """Whether both streams have shown this barrier of ours, and so all that came before it."""
        return self.has_passed_in_outcomes(mark) and self.has_passed_in_contacts(mark)

    def has_passed_in_outcomes(self, mark: str) -> bool:
        """Whether the outcomes stream has shown this barrier of ours."""
        return self._mark == mark

    def has_passed_in_contacts(self, mark: str) -> bool:
        """Whether the contacts stream has shown this barrier of ours."""
        return self._mark_in_contacts == mark

    def take_contact(self, event: Event) -> None:
        """The contacts stream has shown an event of the lane, which the book has learnt."""
        if event.source == self.identity and event.name == EventName.BARRIER:
            self._mark_in_contacts = event.message_id

    def confirmed(self, event: Event) -> None:
        """An event of our own is on record; it comes through the stream later, and changes nothing then."""
        self.ledger.apply(event)
        self.book.apply(event)
        self.active.see(event, own=True)
        self._observers.recorded(event)

    def take(self, event: Event, offset: int) -> None:
        """Learn of one entry of the stream; an entry that was taken before teaches nothing."""
        self.unconfirmed.shown(event)
        is_new = offset >= self.next_offset
        self.next_offset = max(self.next_offset, offset + 1)
        if event.source == self.identity:
            if event.name == EventName.BARRIER:
                self._mark = event.message_id
        elif is_new:
            self.ledger.apply(event)
            self._tell(event)

    def forget_offsets(self) -> None:
        """Another stream is read: its entries are all new."""
        self.next_offset = 0

    def _tell(self, event: Event) -> None:
        if event.lane != self.lane:
            return
        if self._is_live:
            self.active.see(event, own=False)
            _log_session(event)
        self._observers.heard(event, counts=self._is_live and self.active.is_ours)


def _log_session(event: Event) -> None:
    notice = read_session(event)
    if notice is None:
        return
    if notice.state is SessionState.CONNECTED:
        _log.info("lane.connected", lane=event.lane)
    else:
        about = {"lane": event.lane, "state": notice.state.value}
        _log.warning("lane.not_connected", **about, reason=SESSION_WORDS[notice.state], detail=notice.detail)


class OutcomeReader:
    """Where the reading of the stream stands, and which lanes are read for.

    A lane whose ledger is new learns all that the stream has kept; so one that is added later has a reading apart,
    until it knows what the others know.

    Args:
        lanes: that are read for from the beginning on.
    """

    def __init__(self, lanes: Iterable[LaneOutcomes] = ()) -> None:
        self._lanes = {one.lane: one for one in lanes}
        self._next_offset: int | None = None
        self._begins = False
        self._beginning: tuple[int, Event] | None = None

    @property
    def position(self) -> int | None:
        """Offset of the entry that comes next; None when that is not known."""
        return self._next_offset

    def reads_for(self, lane: LaneOutcomes) -> bool:
        """Whether this reading teaches a lane; one that comes when it has begun must learn what was read before."""
        if self._lanes.get(lane.lane) is not lane and self._next_offset is None:
            self._lanes[lane.lane] = lane
        return self._lanes.get(lane.lane) is lane

    def take_apart(self, lane: LaneOutcomes, event: Event, offset: int) -> None:
        """An entry of a lane's own reading has come; once that is as far as this one, the lane needs it no more."""
        if self.reads_for(lane):
            return
        if event.lane == lane.lane:
            lane.take(event, offset)
        if self._next_offset is not None and offset + 1 >= self._next_offset:
            lane.next_offset = max(lane.next_offset, offset + 1)
            self._lanes[lane.lane] = lane

    def leave_out(self, lane: LaneOutcomes) -> None:
        """A lane is not served any more."""
        if self._lanes.get(lane.lane) is lane:
            del self._lanes[lane.lane]

    def resume(self) -> Start:
        """Where to go on reading: all that the broker has kept, when nothing was read yet."""
        self._begins = self._next_offset is None
        for lane in self._lanes.values():
            lane.read_up_from(the_beginning=self._begins)
        return "first" if self._next_offset is None else self._next_offset

    def lose_position(self) -> None:
        """Read from the beginning the next time: a stream that is made again would keep silent up to the old offset."""
        self._next_offset = None

    def take(self, event: Event, offset: int) -> LaneOutcomes | None:
        """One entry of the stream has come.

        Returns:
            The lane that it is about, if that is one of ours.
        """
        if self._begins:
            self._begin(event, offset)
        elif self._next_offset is None:
            # It was on its way when the position was lost, and comes again.
            return None
        self._next_offset = offset + 1
        lane = self._lanes.get(event.lane)
        if lane is not None:
            lane.take(event, offset)
        return lane

    def _begin(self, event: Event, offset: int) -> None:
        """The stream is read from its beginning: what was learnt of this very stream is not learnt twice.

        A crash that counts twice would make a message a poisonous one. In doubt it is another stream, and all of it is
        new.
        """
        if self._beginning != (offset, event):
            for lane in self._lanes.values():
                lane.forget_offsets()
        self._beginning = (offset, event)
        self._begins = False
