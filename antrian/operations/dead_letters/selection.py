"""Which dead letters are meant: those that fit a filter, or exactly those of a frozen selection."""

from collections.abc import Set as AbstractSet

from antrian.history.dead_letter import DeadLetter
from antrian.history.records import DeadFilter

#: One letter exactly: its message id, and which copy of the message it is.
Copy = tuple[str, int]

Which = DeadFilter | AbstractSet[Copy]

EVERYTHING = DeadFilter()


def is_meant(letter: DeadLetter, which: Which) -> bool:
    """Whether a letter in the queue is one of those that are meant."""
    return fits(letter, which) if isinstance(which, DeadFilter) else letter.copy in which


def fits(letter: DeadLetter, wanted: DeadFilter) -> bool:
    """Whether a letter in the queue fits everything that is given.

    A part of a number and words of a text can only be searched for in the history: with these, none fits.
    """
    if wanted.phone_number is not None or wanted.text is not None:
        return False
    if wanted.ids is not None and letter.message_id not in wanted.ids:
        return False
    detail = letter.failures[-1].detail if letter.failures else ""
    given = (letter.code, letter.failure_class, letter.source, letter.lane, detail)
    exact = (wanted.code, wanted.failure_class, wanted.source, wanted.lane, wanted.detail)
    return all(want is None or want == is_ for want, is_ in zip(exact, given, strict=True)) and _died_in_time(
        letter.died_at, wanted
    )


def _died_in_time(died_at: float | None, wanted: DeadFilter) -> bool:
    if wanted.since is None and wanted.until is None:
        return True
    if died_at is None:
        return False
    return (wanted.since is None or died_at >= wanted.since) and (wanted.until is None or died_at < wanted.until)
