"""Which day each held message was given, so that thousands of them are spread over the days to come once. Pure.

A slot is a day, by the clocks of the lane's zone, on which a message to a cold contact may go. Slots are a fold of the
contacts stream: `outcome.held` with a `slot` gives one, and it is free again when the message is sent
(`outcome.sending`; from then on `antrian.domain.usage.Usage` counts it), released, or comes to its end.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from antrian.domain.budget import ColdCaps
from antrian.domain.event_name import EventName
from antrian.domain.events import Event

#: Events after which a message has no slot any more.
GIVES_BACK: Final = frozenset(
    {
        EventName.SENDING,
        EventName.RELEASED,
        EventName.CLEARED,
        EventName.CANCELLED,
        EventName.EXPIRED,
        EventName.OPTED_OUT,
        EventName.DUPLICATE,
        EventName.DEAD,
    }
)

#: So many messages whose slot was given back are known, so that an older event does not bring it back.
_MOST_ENDED = 10_000


class Slots:
    """The slots of one lane, by message.

    Args:
        given: slots that are known already, as pairs of message id and day.
    """

    def __init__(self, given: Iterable[tuple[str, date]] = ()) -> None:
        self._days: dict[str, int] = {}
        # When the latest event said so, by message.
        self._said_at: dict[str, float] = {}
        self._taken: dict[int, int] = {}
        self._ended: OrderedDict[str, float] = OrderedDict()
        # Under these caps all days from the first to before the second are full.
        self._full: tuple[ColdCaps | None, int, int] = (None, 0, 0)
        for message_id, day in given:
            self.give(message_id, day)

    def __len__(self) -> int:
        return len(self._days)

    def __iter__(self) -> Iterator[tuple[str, date]]:
        return ((message_id, date.fromordinal(day)) for message_id, day in self._days.items())

    def apply(self, event: Event) -> None:
        """Learn of one event of the lane; one that came before changes nothing, and neither does one that is late."""
        if event.name in GIVES_BACK:
            self._ended[event.message_id] = max(event.at, self._ended.get(event.message_id, event.at))
            self._ended.move_to_end(event.message_id)
            if len(self._ended) > _MOST_ENDED:
                self._ended.popitem(last=False)
            self.give_back(event.message_id)
        elif event.name == EventName.HELD and (day := slot_in(event)):
            said_at = max(self._ended.get(event.message_id, event.at), self._said_at.get(event.message_id, event.at))
            if event.at >= said_at:
                self.give(event.message_id, day)
                self._said_at[event.message_id] = event.at

    def give(self, message_id: str, day: date) -> None:
        """A message has this slot from now on; another one that it had is free."""
        number = day.toordinal()
        if self._days.get(message_id) == number:
            return
        self.give_back(message_id)
        self._days[message_id] = number
        self._taken[number] = self._taken.get(number, 0) + 1

    def give_back(self, message_id: str) -> None:
        """A message has no slot any more."""
        self._said_at.pop(message_id, None)
        day = self._days.pop(message_id, None)
        if day is None:
            return
        self._taken[day] -= 1
        if not self._taken[day]:
            del self._taken[day]
        caps, first, end = self._full
        if first <= day < end:
            self._full = (caps, first, day)

    def slot_of(self, message_id: str) -> date | None:
        """The day that a message was given; None where it has none."""
        day = self._days.get(message_id)
        return None if day is None else date.fromordinal(day)

    def taken_on(self, day: date) -> int:
        """How many messages have their slot on a day."""
        return self._taken.get(day.toordinal(), 0)

    def first_free_day(self, earliest: date, caps: ColdCaps, used: int = 0) -> date:
        """The first day with a free slot; quick however many days are full.

        Args:
            earliest: the first day that will do.
            caps: slots of each day.
            used: slots of the earliest day that are used up already.
        """
        if self.taken_on(earliest) + used < caps.on(earliest):
            return earliest
        start = day = earliest.toordinal() + 1
        _, first, end = self._full if self._full[0] == caps else (caps, start, start)
        while True:
            if first <= day < end:
                day = end
            if self._taken.get(day, 0) < caps.on(date.fromordinal(day)):
                break
            day += 1
        self._full = (caps, first if first <= start <= end else start, day)
        return date.fromordinal(day)


def slot_in(event: Event) -> date | None:
    """The slot that an event tells of; None where it tells of none."""
    written = event.details.get("slot")
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None
