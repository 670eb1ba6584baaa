"""How far the journal went at one moment, and whether a history holds all of that; pure."""

from typing import NamedTuple

from antrian.history.records import Position


class Watermark(NamedTuple):
    """What was last in the journal, and how far the history was just before that was asked.

    Attributes:
        offset: of the last entry; -1 for an empty journal.
        fingerprint: of that entry.
        before: how far the history was.
    """

    offset: int
    fingerprint: str
    before: Position

    def is_reached(self, position: Position) -> bool:
        """Whether a history that is there now holds everything up to the mark."""
        if self._is_of_another_journal and position.journal == self.before.journal:
            return False
        return position.offset >= self.offset

    @property
    def _is_of_another_journal(self) -> bool:
        """The journal was made again, and the history does not know it yet: it has read what there is not."""
        offset = self.before.offset
        is_other = self.fingerprint != self.before.fingerprint
        return offset > self.offset or (offset == self.offset and offset >= 0 and is_other)
