"""Anonymous clients cannot flood the journal: of their refusals one a second is written, and the others are counted."""

from collections.abc import Iterator
from dataclasses import replace

from admin_api.auth.audit_entry import ANONYMOUS, AuditEntry

#: Seconds that one record of an anonymous client stands for.
WINDOW = 1.0


class AuditLimit:
    """Lets every entry of a known actor pass, and the first of anonymous clients in each second."""

    def __init__(self) -> None:
        self._open_until = float("-inf")
        self._held: AuditEntry | None = None
        self._count = 0

    def passing(self, entry: AuditEntry, now: float) -> Iterator[AuditEntry]:
        """What is to be written because of this entry.

        Args:
            entry: the newest.
            now: seconds of a clock that never goes back.
        """
        if entry.actor != ANONYMOUS:
            yield entry
            return
        yield from self.overdue(now)
        if now >= self._open_until:
            self._open_until = now + WINDOW
            yield entry
        else:
            self._held = entry
            self._count += 1

    def overdue(self, now: float, *, is_last: bool = False) -> Iterator[AuditEntry]:
        """What was held back and stands for itself and the others, once its second is over, or none will follow."""
        if self._held is not None and (is_last or now >= self._open_until):
            yield replace(self._held, more=self._count - 1)
            self._held, self._count = None, 0
            self._open_until = now + WINDOW
