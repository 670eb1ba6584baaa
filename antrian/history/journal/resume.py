"""Looking where the journal goes on after what a history has read of it."""

from collections.abc import Sequence

from antrian.domain.errors import BrokerUnreachable
from antrian.history.journal.continuation import Continuation, continuation, is_same
from antrian.history.journal.entry import JournalDelivery
from antrian.history.journal.lookup import first_from, journal_channel, last_entry
from antrian.history.projection.writer import JournalPlace

#: Seconds after which an unanswered look into the journal means that there is nothing.
_PATIENCE = 5.0

#: Looks in a row that must find a journal shorter than what was read of it. In a cluster, one node may be behind for a
#: moment; to take that for a new journal would read everything a second time.
_DOUBTS = 2


class Resumption:
    """Decides for one history, as often as it must go on.

    Args:
        urls: the broker's addresses.
        journal: its name.
    """

    def __init__(self, urls: Sequence[str], journal: str) -> None:
        self._urls = urls
        self._journal = journal
        self._doubts = 0

    def decide(self, place: JournalPlace) -> Continuation:
        """Where to read on, and what was missed.

        Args:
            place: how far the history has read.

        Raises:
            NoJournal: there is none.
            BrokerUnavailable: the broker does not tell, or tells something that is believed only when it is said again.
        """
        with journal_channel(self._urls, name="antrian history") as channel:
            channel.queue_declare(self._journal, passive=True)
            found = first_from(channel, self._journal, place.offset, _PATIENCE) if place.offset >= 0 else None
            if place.offset < 0 or is_same(found, place):
                self._doubts = 0
                return Continuation("first" if place.offset < 0 else place.offset)
            first = first_from(channel, self._journal, "first", _PATIENCE)
            if found is None:
                self._doubt(place, first, last_entry(channel, self._journal, _PATIENCE))
        self._doubts = 0
        return continuation(place, found, first)

    def _doubt(self, place: JournalPlace, first: JournalDelivery | None, last: JournalDelivery | None) -> None:
        if (first is None) != (last is None) or (last is not None and last.offset >= place.offset):
            raise BrokerUnreachable("the journal does not answer")
        self._doubts += 1
        if self._doubts < _DOUBTS:
            raise BrokerUnreachable("the journal ends earlier than expected; looking for it again")
