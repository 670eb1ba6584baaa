"""Looking into the journal at a place, wherever a batch of its entries begins or ends."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from queue_fixture import Stock
from tcp_proxy import proxy_before

from antrian.broker.stream import lookup
from antrian.broker.stream.entry import StreamEntry
from antrian.broker.stream.lookup import NoStream, first_from, last_entry, stream_channel
from waiting import wait_until


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is slow on purpose, or a journal that grows all the time, on a machine with other things to do."""
    monkeypatch.setattr(lookup, "_LONGEST_LOOK", 60.0)


def test_every_place_is_found_and_no_other(stock: Stock) -> None:
    stock.pour(*(f"m{number}" for number in range(1_000)))
    stock.pour(*(f"m{number}" for number in range(1_000, 1_010)))
    with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
        last = last_entry(channel, stock.names.journal, 60)
        assert last is not None
        assert last.offset == 1_009
    for offset in (0, 1, 7, *range(100, 1_000, 90), 998, 999, 1_000, 1_009):
        with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
            found = first_from(channel, stock.names.journal, offset, 60)
            assert found is not None
            assert (found.offset, found.properties.message_id) == (offset, f"m{offset}")


@pytest.mark.usefixtures("patient")
def test_several_looks_over_a_slow_line_do_not_break_it(stock: Stock) -> None:
    """What is on its way when a subscription ends would be rejected, and the broker ends the connection for that."""
    stock.pour(*(f"m{number}" for number in range(2_000)))
    url = stock.settings.amqp_urls[0]
    with proxy_before(url) as proxy:
        proxy.narrow(1_000_000)
        with stream_channel((proxy.through(url),), stock.names.journal, name="test") as channel:
            for offset in range(10, 2_000, 210):
                found = first_from(channel, stock.names.journal, offset, 60)
                first = first_from(channel, stock.names.journal, "first", 60)
                last = last_entry(channel, stock.names.journal, 60)
                assert found is not None
                assert first is not None
                assert last is not None
                assert (found.offset, first.offset, last.offset) == (offset, 0, 1_999)
        assert proxy.connections == 1


@pytest.mark.parametrize("look", [lambda *where: last_entry(*where, 0.1), lambda *where: first_from(*where, 3, 0.1)])
def test_a_broker_that_is_silent_for_longer_than_the_patience_is_not_taken_for_an_empty_journal(
    stock: Stock, look: Callable[[BlockingChannel, str], StreamEntry | None]
) -> None:
    stock.pour("m0", "m1", "m2", "m3")
    url = stock.settings.amqp_urls[0]
    with proxy_before(url) as proxy:
        with stream_channel((proxy.through(url),), stock.names.journal, name="test") as channel:
            proxy.freeze(answers_only=True)
            threading.Timer(1.0, proxy.thaw).start()
            found = look(channel, stock.names.journal)
        assert found is not None
        assert found.offset == 3


def test_an_empty_journal_has_no_last_entry(stock: Stock) -> None:
    with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
        assert last_entry(channel, stock.names.journal, 0.1) is None
        assert first_from(channel, stock.names.journal, "first", 0.1) is None


_PUBLISH = """
import sys
from queue_fixture import message
from antrian.broker.connection import open_channel
from antrian.domain.message import encode
from antrian.domain.settings import load_settings
from antrian.broker.topology import Names
settings = load_settings()
body, properties = encode(message("m"))
with open_channel(settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
    while True:
        fast.basic_publish(Names(settings.whatsapp_queue_namespace).messages, "default", body, properties)
        # A thousand a second leave no quiet moment, and are not more than a busy machine can read.
        channel.connection.sleep(0.001)
"""


@pytest.mark.usefixtures("patient")
def test_the_end_of_a_journal_that_grows_all_the_time_is_told(stock: Stock) -> None:
    environment = os.environ | {
        "AMQP_URL": stock.settings.amqp_urls[0],
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    with subprocess.Popen([sys.executable, "-c", _PUBLISH], env=environment) as publisher:
        try:
            wait_until(lambda: stock.count(stock.names.lane("default")) > 1_000, 20, "it publishes")
            ends: list[int] = []
            with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:

                def has_grown() -> bool:
                    last = last_entry(channel, stock.names.journal, 60)
                    assert last is not None
                    ends.append(last.offset)
                    return len(ends) >= 10 and ends[0] < ends[-1]

                wait_until(has_grown, 20, "it has grown between many looks", every=0)
            assert ends == sorted(ends)
            assert publisher.poll() is None
        finally:
            publisher.kill()


def test_an_empty_journal_has_no_places(stock: Stock) -> None:
    with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
        assert last_entry(channel, stock.names.journal) is None
        assert first_from(channel, stock.names.journal, "first", 0.5) is None


def test_where_there_is_no_journal_it_is_said(settings) -> None:
    with pytest.raises(NoStream), stream_channel(settings.amqp_urls, "no.journal", name="test") as channel:
        last_entry(channel, "no.journal")
