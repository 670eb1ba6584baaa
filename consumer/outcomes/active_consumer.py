"""Which of several consumers of a lane is the active one, as far as one of them can tell.

The broker picks the single active consumer and does not say which. What a consumer can know is whose outcomes were
recorded last, and how many others are subscribed to the lane.
"""

from antrian.domain.events import Event
from antrian.domain.lifecycle import ACTIVE_WORK


class ActiveConsumer:
    """Folds what happens to a lane; for metrics only, nothing is decided by it."""

    def __init__(self) -> None:
        self._ours: bool | None = None

    @property
    def is_ours(self) -> bool:
        """Whether this consumer is the active one, or the next to be."""
        return bool(self._ours)

    def forget(self) -> None:
        """The connection is gone: another one may be active now."""
        self._ours = None

    def see(self, event: Event, *, own: bool) -> None:
        """An event of the lane was recorded."""
        if event.name in ACTIVE_WORK:
            self._ours = own

    def count_others(self, others: int) -> None:
        """So many other consumers are subscribed to the lane, and so are we."""
        if others <= 0:
            self._ours = True
        elif self._ours is None:
            # The one that was there first is active.
            self._ours = False
