"""A history for one command: the one that an admin process keeps up to date, or else kept up to date by ourselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from antrian.broker.connection import broker_urls, open_channel
from antrian.domain.settings import Settings
from antrian.operations.dead_letters.errors import HistoryBehind

if TYPE_CHECKING:
    from antrian.history.follower import HistoryFollower
    from antrian.history.queries.history import History

#: Seconds that a command waits for a history that was never read, or not for long.
PATIENCE = 120.0


@contextmanager
def own_history(settings: Settings) -> Iterator[tuple["History", "HistoryFollower"]]:
    """A history and its follower; whether it holds everything is asked with `follower.barrier`.

    Use `whole_history` for what must not miss anything.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
    """
    # Imported late: most commands need no database.
    from antrian.history.follower import HistoryFollower  # noqa: PLC0415
    from antrian.history.projection.history_file import history_path  # noqa: PLC0415
    from antrian.history.queries.history import History  # noqa: PLC0415

    path = history_path(settings)
    follower = HistoryFollower(settings, path, urls=broker_urls(settings))
    follower.start()
    try:
        yield History(path), follower
    finally:
        follower.stop()


@contextmanager
def whole_history(settings: Settings) -> Iterator[tuple["History", "HistoryFollower"]]:
    """A history that holds everything that the journal holds, and its follower.

    Raises:
        NoBroker: AMQP_URL is not set and no private node is running.
        BrokerError: the broker is away.
        HistoryBehind: it has not come so far in two minutes, which is time for one that was never read.
    """
    # A broker that is away is an error at once; the follower would go on trying for two minutes.
    with open_channel(broker_urls(settings), name="antrian history"):
        pass
    with own_history(settings) as (history, follower):
        if not follower.barrier(PATIENCE):
            raise HistoryBehind
        yield history, follower
