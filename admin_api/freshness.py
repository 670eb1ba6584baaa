"""Reads follow writes: a list is read when the history holds what the journal held as the request came."""

import time

from admin_api.dependencies import Services
from admin_api.schemas.values import HistoryAge

#: Seconds that a read waits for the history; then its answer says how far behind that is.
PATIENCE = 1.0

#: Seconds between two looks, and for how long at most, where a count that was told is not in the history yet: the
#: broker counts a message a moment before it shows it to the journal's readers.
_LOOK, _LONGEST = 0.01, 0.25


def fresh_history(services: Services) -> HistoryAge:
    """Wait for the history, at most a second, and say how far it is; never in the event loop."""
    is_broker_there = services.observer.away_since is None
    caught_up = is_broker_there and services.follower.catch_up(PATIENCE)
    if caught_up:
        _agree_with_what_was_told(services)
    behind = 0.0 if caught_up else services.follower.behind_seconds
    return HistoryAge(caught_up=caught_up, behind_seconds=round(behind, 3))


def _agree_with_what_was_told(services: Services) -> None:
    deadline = time.monotonic() + _LONGEST
    while (told := services.comparison.told_failed(time.time())) is not None and time.monotonic() < deadline:
        if services.history.dead_count() >= told:
            return
        time.sleep(_LOOK)
        services.follower.catch_up(_LONGEST)
