"""A desk with a real history, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from stock import Stock

from admin_api.desk.desk import Desk
from admin_api.desk.undo import Undo
from admin_api.history.follower import HistoryFollower
from admin_api.history.history_file import history_path
from admin_api.history.store import History


class DeskParts:
    """What one admin process has."""

    def __init__(self, stock: Stock) -> None:
        path = history_path(stock.settings)
        self.follower = HistoryFollower(stock.settings, path, urls=stock.settings.amqp_urls)
        self.history = History(path)
        self.desk = Desk(stock.settings, self.history, self.follower)
        self.undo = Undo(stock.settings, self.history, self.follower)

    def catch_up(self) -> None:
        assert self.follower.barrier(20), self.follower.trouble


@contextmanager
def running(stock: Stock) -> Iterator[DeskParts]:
    parts = DeskParts(stock)
    parts.follower.start()
    try:
        yield parts
    finally:
        parts.desk.close()
        parts.follower.stop()
