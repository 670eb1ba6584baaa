"""Dead letters that the history will soon forget.

The dead-letter queue itself keeps its letters for ever. What ends is the journal's memory of them, after
`WHATSAPP_QUEUE_RETENTION_DAYS`: from then on a letter can be seen by the command line only, its life is not on record
any more, and its purge could not be undone. So the operator is warned while there is time to decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from antrian.history.records import DeadGroup

_DAY = 86_400.0

#: The share of the retention that must be left, and the least: a day, so that it is seen in time.
_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class RetentionAlarm:
    """How much will be forgotten, and when.

    Attributes:
        count: letters whose retention is nearly over.
        oldest: when the oldest of them was given up, unix seconds.
        seconds_left: until the history forgets that one; 0 when it may do so at any time.
    """

    count: int
    oldest: float
    seconds_left: float


def warned_before(retention: float, now: float) -> float:
    """Letters that were given up before this moment (unix seconds) are near the end of their retention (seconds)."""
    margin = max(retention * _SHARE, _DAY)
    return now - max(retention - margin, 0.0)


def retention_alarm(groups: Iterable[DeadGroup], retention: float, now: float) -> RetentionAlarm | None:
    """The alarm, or None when there is nothing to say.

    Args:
        groups: of the letters that were given up before `warned_before(retention, now)`.
        retention: of the journal, in seconds.
        now: unix seconds.
    """
    near = list(groups)
    count = sum(group.count for group in near)
    if not count:
        return None
    oldest = min(group.oldest for group in near)
    return RetentionAlarm(count, oldest, max(0.0, oldest + retention - now))
