"""A history that is followed for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from antrian.domain.settings import Settings
from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import history_path
from waiting import wait_until


@contextmanager
def following(settings: Settings) -> Iterator[HistoryFollower]:
    """A follower of the settings' own history, for the time of a `with`."""
    follower = HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop(60)


def catch_up(follower: HistoryFollower) -> None:
    """Wait until the history holds what the journal holds."""
    # A broker that is slow for a moment has the barrier say no before its time.
    wait_until(lambda: follower.barrier(20), 20, "the history has caught up")
