"""Which dead letters are meant."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from antrian.history.dead_letter import DeadLetter
from antrian.history.possible_arrival import may_have_arrived

#: One letter exactly: its message id, and which copy of the message it is.
Copy = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Selection:
    """Dead letters that fit everything that is given.

    Attributes:
        ids: message ids; any of them.
        code: of the last failure.
        failure_class: of the last failure.
        source: the publishing service.
        lane: where it was to be sent from.
        skip_uncertain: without those that may have reached their recipient already.
        copies: a frozen selection: exactly these letters; None where they are found by the other fields.
    """

    ids: frozenset[str] = frozenset()
    code: str | None = None
    failure_class: str | None = None
    source: str | None = None
    lane: str | None = None
    copies: AbstractSet[Copy] | None = None
    skip_uncertain: bool = False

    def __contains__(self, letter: DeadLetter) -> bool:
        if self.copies is not None and letter.copy not in self.copies:
            return False
        if self.skip_uncertain and may_have_arrived(letter):
            return False
        wanted = (self.code, self.failure_class, self.source, self.lane)
        given = (letter.code, letter.failure_class, letter.source, letter.lane)
        fits = all(one is None or one == other for one, other in zip(wanted, given, strict=True))
        return fits and (not self.ids or letter.message_id in self.ids)


EVERYTHING = Selection()
