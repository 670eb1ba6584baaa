"""A history that is followed for a while."""

from collections.abc import Iterator
from contextlib import contextmanager

from admin_api.history.follower import HistoryFollower
from admin_api.history.store import history_path
from broker.settings import Settings


@contextmanager
def following(settings: Settings) -> Iterator[HistoryFollower]:
    """A follower of the settings' own history, for the time of a `with`."""
    follower = HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
    follower.start()
    try:
        yield follower
    finally:
        follower.stop()
