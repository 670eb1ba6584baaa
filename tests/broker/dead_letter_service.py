"""The dead-letter service with a real history, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from followed import catch_up
from queue_fixture import Stock

from antrian.history.follower import HistoryFollower
from antrian.history.projection.history_file import history_path
from antrian.history.queries.history import History
from antrian.operations.dead_letters import service as service_module
from antrian.operations.dead_letters.service import DeadLetterService
from antrian.operations.dead_letters.undo import Undo


class DeskParts:
    """What one admin process has."""

    def __init__(self, stock: Stock) -> None:
        path = history_path(stock.settings)
        self.follower = HistoryFollower(stock.settings, path, urls=stock.settings.amqp_urls)
        self.history = History(path)
        self.dead_letters = DeadLetterService(stock.settings, self.history, self.follower)
        self.undo = Undo(stock.settings, self.history, self.follower)

    def catch_up(self) -> None:
        catch_up(self.follower)


@contextmanager
def running(stock: Stock) -> Iterator[DeskParts]:
    parts = DeskParts(stock)
    parts.follower.start()
    with pytest.MonkeyPatch.context() as patch:
        # When its time is over, the service takes what the history holds: perhaps not what the test has just made.
        patch.setattr(service_module, "PATIENCE", 60.0)
        try:
            yield parts
        finally:
            parts.dead_letters.close()
            parts.follower.stop(60)
