"""Where a history that was away goes on reading the journal: the decision, and the look-ups that it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from antrian.domain.errors import BrokerUnreachable
from antrian.history.journal.entry import JournalDelivery
from antrian.history.journal.lookup import first_from, journal_channel, last_entry
from antrian.history.projection.writer import JournalPlace, fingerprint

#: Seconds after which an unanswered look into the journal means that there is nothing.
_PATIENCE = 5.0

#: Looks in a row that must find a journal shorter than what was read of it. In a cluster, one node may be behind for a
#: moment; to take that for a new journal would read everything a second time.
_DOUBTS = 2


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """What to do before reading on.

    Attributes:
        start: an offset, or `first`.
        gap: one sentence about what the history never saw; empty when it saw everything.
        is_new_journal: whether the journal was made again, so that its offsets mean something else.
    """

    start: int | str
    gap: str = ""
    is_new_journal: bool = False


def is_same(found: JournalDelivery | None, place: JournalPlace) -> bool:
    """Whether the journal has, at that place, what was read there."""
    return found is not None and found.offset == place.offset and fingerprint(found) == place.fingerprint


def resume_point(place: JournalPlace, found: JournalDelivery | None, first: JournalDelivery | None) -> ResumePoint:
    """Decide from what the journal shows.

    Args:
        place: how far the history has read, at least one entry.
        found: the journal's first entry at or after that place.
        first: the journal's first entry; None for an empty journal.
    """
    if is_same(found, place):
        return ResumePoint(place.offset)
    if first is not None and first.offset > place.offset:
        missing = f"{place.offset + 1:,} to {first.offset - 1:,}"
        # Where one of a stream's files ends and the next one begins, an offset may be left out.
        nothing = first.offset <= place.offset + 2
        sentence = f"Journal entries {missing} were deleted before the history could read them."
        return ResumePoint("first", "" if nothing else sentence)
    return ResumePoint(
        "first",
        f"The journal was recreated after entry {place.offset:,}; what followed in the old one was never read.",
        is_new_journal=True,
    )


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

    def decide(self, place: JournalPlace) -> ResumePoint:
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
                return ResumePoint("first" if place.offset < 0 else place.offset)
            first = first_from(channel, self._journal, "first", _PATIENCE)
            if found is None:
                self._doubt(place, first, last_entry(channel, self._journal, _PATIENCE))
        self._doubts = 0
        return resume_point(place, found, first)

    def _doubt(self, place: JournalPlace, first: JournalDelivery | None, last: JournalDelivery | None) -> None:
        if (first is None) != (last is None) or (last is not None and last.offset >= place.offset):
            raise BrokerUnreachable("the journal does not answer")
        self._doubts += 1
        if self._doubts < _DOUBTS:
            raise BrokerUnreachable("the journal ends earlier than expected; looking for it again")
