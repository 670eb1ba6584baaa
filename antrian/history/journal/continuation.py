"""Where a history that was away goes on reading; pure."""

from dataclasses import dataclass

from antrian.history.journal.entry import JournalDelivery
from antrian.history.projection.writer import JournalPlace, fingerprint


@dataclass(frozen=True, slots=True)
class Continuation:
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


def continuation(place: JournalPlace, found: JournalDelivery | None, first: JournalDelivery | None) -> Continuation:
    """Decide.

    Args:
        place: how far the history has read, at least one entry.
        found: the journal's first entry at or after that place.
        first: the journal's first entry; None for an empty journal.
    """
    if is_same(found, place):
        return Continuation(place.offset)
    if first is not None and first.offset > place.offset:
        missing = f"{place.offset + 1:,} to {first.offset - 1:,}"
        # Where one of a stream's files ends and the next one begins, an offset may be left out.
        nothing = first.offset <= place.offset + 2
        sentence = f"Journal entries {missing} were deleted before the history could read them."
        return Continuation("first", "" if nothing else sentence)
    return Continuation(
        "first",
        f"The journal was recreated after entry {place.offset:,}; what followed in the old one was never read.",
        is_new_journal=True,
    )
