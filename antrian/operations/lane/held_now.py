"""What is held in each lane, counted again when that has become old: with many held messages it is not free."""

import time
from typing import TYPE_CHECKING

from antrian.operations.lane.held_forecast import HeldMessages, held_messages

if TYPE_CHECKING:
    from antrian.history.queries.history import History

#: A count is believed for so many times as long as it took, in seconds, and at most for so long.
_SHARE, _LONGEST = 50.0, 5.0


class HeldNow:
    """Counts, from any thread; two that count at once do no harm."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, HeldMessages]] = {}

    def of(self, history: "History", lane: str) -> HeldMessages:
        """What is held in the lane, as it was a moment ago."""
        began = time.monotonic()
        known = self._known.get(lane)
        if known is not None and began < known[0]:
            return known[1]
        found = held_messages(history, lane)
        ended = time.monotonic()
        self._known[lane] = ended + min(_LONGEST, _SHARE * (ended - began)), found
        return found
