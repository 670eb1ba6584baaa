"""A stream of events read from a place on, and followed, whatever happens to the connection and the stream."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from declaration import declare
from queue_fixture import Stock
from tcp_proxy import proxy_before

from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_events
from antrian.broker.stream import reader as reader_module
from antrian.broker.stream.entry import NOWHERE, StreamPlace
from antrian.broker.stream.reader import StreamReader
from antrian.domain.events import Event
from waiting import wait_until

MANY = 3_000
PATIENCE = 30


class Notebook:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.offsets: list[int] = []

    def take(self, offset: int, event: Event) -> None:
        self.told.append(event.message_id)
        self.offsets.append(offset)

    def begin_anew(self) -> None:
        self.told.append("begin anew")

    def caught_up(self) -> None:
        self.told.append("caught up")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "RECONNECT_PERIOD", 0.05)


def ids(start: int, stop: int) -> list[str]:
    return [f"m{number}" for number in range(start, stop)]


def write(stock: Stock, *message_ids: str) -> None:
    """Events into the outcomes stream, many of them in one chunk."""
    with open_channel(stock.settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
        for one in message_ids:
            event = Event("outcome.sent", 1.0, "default", one)
            fast.basic_publish(stock.names.events, event.routing_key, event.encode())
    end = Event("outcome.sent", 1.0, "default", "end")
    write_events(stock.settings.amqp_urls, stock.names, [end], name="test")


@contextmanager
def reading(
    stock: Stock, notebook: Notebook, place: StreamPlace = NOWHERE, url: str | None = None
) -> Iterator[StreamReader]:
    urls = stock.settings.amqp_urls if url is None else (url,)
    ours = StreamReader(urls, stock.names.outcomes, notebook, name="test reader", place=place)
    stopping = threading.Event()
    thread = threading.Thread(target=ours.run, args=(stopping,))
    thread.start()
    try:
        yield ours
    finally:
        stopping.set()
        thread.join(60)


def events(notebook: Notebook) -> list[str]:
    """What it was told, but for when it had caught up: after a break, that may be before others write and after it."""
    return [one for one in notebook.told if one != "caught up"]


def until_told(notebook: Notebook, *last: str) -> None:
    wait_until(lambda: tuple(notebook.told[-len(last) :]) == last, PATIENCE, f"it is told {last}")


def test_all_is_told_in_order_then_that_it_has_caught_up_and_then_what_follows(stock):
    write(stock, *ids(0, MANY))
    notebook = Notebook()
    with reading(stock, notebook) as reader:
        until_told(notebook, "end", "caught up")
        assert reader.is_caught_up
        assert notebook.told == [*ids(0, MANY), "end", "caught up"]
        write(stock, "later")
        until_told(notebook, "later", "end")
    assert notebook.offsets == list(range(MANY + 3))[: len(notebook.offsets)]
    assert not reader.is_caught_up


def test_another_reader_goes_on_where_one_ended(stock):
    write(stock, "m1")
    with reading(stock, first := Notebook()) as reader:
        until_told(first, "end", "caught up")
    write(stock, "m2")
    with reading(stock, second := Notebook(), reader.place):
        until_told(second, "end", "caught up")
    assert second.told == ["m2", "end", "caught up"]


def test_nothing_is_told_twice_or_left_out_when_the_connection_breaks(stock):
    write(stock, *ids(0, MANY))
    url = stock.settings.amqp_urls[0]
    with proxy_before(url) as proxy, reading(stock, notebook := Notebook(), url=proxy.through(url)) as reader:
        until_told(notebook, "end", "caught up")
        proxy.cut()
        write(stock, "meanwhile")
        expected = [*ids(0, MANY), "end", "meanwhile", "end"]
        wait_until(lambda: len(events(notebook)) >= len(expected), PATIENCE, "the rest is told")
        assert events(notebook) == expected
        proxy.shut()
        wait_until(lambda: reader.trouble, PATIENCE, "it says why nothing comes")
        assert not reader.is_caught_up


def test_a_stream_that_was_made_again_is_told_from_its_beginning(stock):
    """It would keep silent up to the offset that was asked for."""
    write(stock, *ids(0, 20))
    with reading(stock, notebook := Notebook()):
        until_told(notebook, "end", "caught up")
        with open_channel(stock.settings.amqp_urls, name="test") as channel:
            channel.queue_delete(stock.names.outcomes)
        declare(stock.settings)
        write(stock, "new")
        expected = [*ids(0, 20), "end", "begin anew", "new", "end"]
        wait_until(lambda: len(events(notebook)) >= len(expected), PATIENCE, "the new one is told")
        assert events(notebook) == expected


def test_an_empty_stream_is_caught_up_with(stock):
    with reading(stock, notebook := Notebook()):
        until_told(notebook, "caught up")
        write(stock, "m1")
        until_told(notebook, "m1", "end")


def test_what_is_no_event_is_passed_over(stock):
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_publish(stock.names.events, "outcome.sent.default.m", b"{oops")
    with reading(stock, notebook := Notebook()) as reader:
        until_told(notebook, "caught up")
    assert reader.place.offset == 0
    write(stock, "m1")
    with reading(stock, notebook, reader.place):
        until_told(notebook, "m1", "end", "caught up")
