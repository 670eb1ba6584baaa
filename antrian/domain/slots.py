"""Which day each held message was given, so that thousands of them are spread over the days to come once; pure.

A slot is a day (the local day of the lane's zone) on which a message to a cold contact may go. It is a fold of the
contacts stream: `outcome.held` with a `slot` gives one, and it is given back when the message is sent (`outcome.sending`;
from then on `antrian.domain.usage.Usage` counts it), released, cleared, cancelled, expired or opted out.
"""

from collections.abc import Callable, Iterable
from datetime import date

from antrian.domain.events import Event


class Slots:
    """The slots of one lane, by message.

    Args:
        given: slots that are known already, as pairs of message id and day.
    """

    def __init__(self, given: Iterable[tuple[str, date]] = ()) -> None:
        raise NotImplementedError

    def apply(self, event: Event) -> None:
        """Learn of one event of the lane; twice changes nothing."""
        raise NotImplementedError

    def give(self, message_id: str, day: date) -> None:
        """A message has this slot from now on; the one that it had is free."""
        raise NotImplementedError

    def give_back(self, message_id: str) -> None:
        """A message has no slot any more."""
        raise NotImplementedError

    def slot_of(self, message_id: str) -> date | None:
        """The day that a message was given; None where it has none."""
        raise NotImplementedError

    def taken_on(self, day: date) -> int:
        """How many messages have their slot on a day."""
        raise NotImplementedError

    def first_free_day(self, earliest: date, cap_on: Callable[[date], int], used: int = 0) -> date:
        """The first day with a free slot.

        Args:
            earliest: the first day that will do.
            cap_on: slots of a day; never falls from day to day.
            used: slots of the earliest day that are used up already.
        """
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError
