"""A long journal, read by a process of its own: whatever becomes of that process, of ours, or of the broker."""

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import pytest
from antrian_process import AntrianProcess
from followed import catch_up, following
from journal_entries import dump
from pika.adapters.blocking_connection import BlockingChannel
from pydantic import SecretStr
from queue_fixture import Stock, message
from tcp_proxy import proxy_before

from antrian.broker.connection import open_channel
from antrian.broker.stream.feed import StreamFeed
from antrian.broker.stream.read_ahead import ReadAhead, ReaderLost, ReadingEnded
from antrian.broker.topology import Names
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import encode
from antrian.history import follower as follower_module
from antrian.history.queries.history import History
from antrian.history.records import MessageState
from waiting import wait_until

PROGRAM = "antrian.broker.stream.read_ahead_process"


@pytest.fixture
def settings(settings):
    """Classic lanes: what the queues are made of makes no difference to the journal."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


@pytest.fixture
def far(monkeypatch):
    """A hundred entries are far enough."""
    monkeypatch.setattr(follower_module, "FAR", 100)


#: Messages of a journal that is read slowly, and its entries; all are some 2 MB on the wire.
MANY, ENTRIES = 2_000, 3_000


@pytest.fixture
def wire(broker_url):
    with proxy_before(broker_url) as proxy:
        yield proxy


@pytest.fixture
def slowly(settings, wire):
    """The same settings, with a way to the broker that takes many seconds for all of the journal."""
    wire.narrow(200_000)
    return settings.model_copy(update={"amqp_url": SecretStr(wire.through(settings.amqp_urls[0]))})


def ahead_of(urls: Sequence[str], names: Names) -> ReadAhead:
    """All of the journal."""
    return ReadAhead(urls, names.journal, "first", bare=names.events, name="test read-ahead")


def fill(stock: Stock, count: int) -> None:
    """Messages; of each second one it is known that it was sent.

    Without confirms but for the last event: then the others are in the journal too, for they came to it before.
    """
    with open_channel(stock.settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
        for number in range(count):
            body, properties = encode(message(f"m{number}"))
            fast.basic_publish(stock.names.messages, "default", body, properties)
            if number % 2 and number < count - 1:
                tell_sent(fast, stock, number)
    with open_channel(stock.settings.amqp_urls, name="test") as confirming:
        tell_sent(confirming, stock, count - 1)


def tell_sent(channel: BlockingChannel, stock: Stock, number: int) -> None:
    event = Event("outcome.sent", time.time(), "default", f"m{number}", attempt=1, source="test")
    channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def readers(of: int) -> list[psutil.Process]:
    """The processes that read ahead for a process."""
    found = []
    for child in psutil.Process(of).children(recursive=True):
        try:
            if PROGRAM in child.cmdline():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def test_what_it_hands_over_is_what_the_feed_reads(stock: Stock) -> None:
    stock.add_dead("d1")
    stock.add_delayed("s1")
    fill(stock, 3_000)
    count = 4_502
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        feed, plain = StreamFeed(channel, stock.names.journal, "first", bare=stock.names.events), []
        wait_until(lambda: plain.extend(feed.take(0.1)) or len(plain) >= count, 20, "the feed has read all")
    with closing(ahead_of(stock.settings.amqp_urls, stock.names)) as ahead:
        assert ahead.end_passed_at() is None
        read = []
        wait_until(lambda: read.extend(ahead.take(0.1)) or len(read) >= count, 20, "the other process has read all")
        wait_until(lambda: ahead.take(0.1) == [] and ahead.end_passed_at(), 10, "the end is seen")
    for one, other in zip(plain, read, strict=True):
        assert one[:3] + one[4:] == other[:3] + other[4:]
        assert vars(one.properties) == vars(other.properties)


def test_a_history_that_is_far_behind_is_the_one_that_never_was(stock, history, monkeypatch):
    fill(stock, 500)
    with following(stock.settings) as follower:
        catch_up(follower)
    near = dump(history)
    history.path.resolve().unlink()
    monkeypatch.setattr(follower_module, "FAR", 100)
    started = []
    monkeypatch.setattr(
        follower_module, "ReadAhead", lambda *task, **more: started.append(ReadAhead(*task, **more)) or started[-1]
    )
    with following(stock.settings) as follower:
        catch_up(follower)
        wait_until(lambda: started and not readers(os.getpid()), 20, "it has caught up, and the process has ended")
        far = dump(history)
        stock.add_waiting("later")
        wait_until(lambda: history.message("later"), 10, "it follows")
        assert not readers(os.getpid())
        assert len(started) == 1
    # When it was checked differs, and whether its indexes were made by then.
    [position], [before] = far.pop("position"), near.pop("position")
    assert (*position[:3], *position[4:8]) == (*before[:3], *before[4:8])
    assert far == near


def test_a_history_that_is_near_needs_no_other_process(stock, history, monkeypatch):
    monkeypatch.setattr(follower_module, "ReadAhead", None)
    fill(stock, 50)
    with following(stock.settings) as follower:
        catch_up(follower)
        assert follower.trouble == ""
    assert history.counts()[MessageState.WAITING] == 25


def is_complete(history: History) -> bool:
    return history.position().entries == ENTRIES


@pytest.mark.usefixtures("far")
def test_when_the_reading_process_is_killed_we_read_on_alone(stock, history, slowly, wire):
    fill(stock, MANY)
    with following(slowly) as follower:
        wait_until(lambda: history.position().entries, 30, "it reads", every=0)
        [reader] = readers(os.getpid())
        reader.send_signal(signal.SIGKILL)
        wait_until(lambda: "has ended" in follower.trouble, 10, "the trouble is told", every=0)
        assert not is_complete(history)
        wire.narrow(math.inf)
        wait_until(lambda: is_complete(history), 60, "the history is complete")
        wait_until(lambda: follower.trouble == "", 10, "the trouble is over")
        assert not readers(os.getpid())
    assert history.counts()[MessageState.SENT] == history.counts()[MessageState.WAITING] == MANY // 2
    assert history.position().gaps == ()


@pytest.mark.usefixtures("far")
def test_where_no_process_can_be_started_we_read_alone(stock, history, monkeypatch):
    fill(stock, 500)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with following(stock.settings) as follower:
        trouble = wait_until(lambda: follower.trouble, 20, "the trouble is told", every=0)
        assert trouble.startswith(f"no process can be started to read {stock.names.journal}: No such file")
        wait_until(lambda: history.position().entries == 750, 20, "the history is complete")


@pytest.mark.parametrize("words", ["exit 1", "printf '\\000\\000\\100\\000half of a batch'"])
def test_a_process_that_ends_before_or_within_a_batch_is_lost(stock, monkeypatch, tmp_path, words):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{words}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with (
        closing(ahead_of(stock.settings.amqp_urls, stock.names)) as ahead,
        pytest.raises(ReaderLost),
    ):
        wait_until(lambda: ahead.take(1) and None, 10, "it says so")


_FOLLOW = """
import sys, time
from antrian.history import follower
from antrian.history.queries.history import history_path
from antrian.domain.settings import load_settings
follower.FAR = 100

class Stuck(follower.HistoryWriter):
    # Whoever kills us in the middle may come late.
    def take(self, *arguments, **more):
        super().take(*arguments, **more)
        time.sleep(300)

follower.HistoryWriter = Stuck
settings = load_settings()
one = follower.HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
one.start()
time.sleep(300)
"""


def test_when_we_are_killed_it_ends(stock, history, slowly):
    fill(stock, MANY)
    environment = os.environ | {
        "AMQP_URL": slowly.amqp_urls[0],
        "ANTRIAN_HOME": str(stock.settings.antrian_home),
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
    }
    with AntrianProcess(["-c", _FOLLOW], env=environment) as process:
        try:
            wait_until(lambda: history.position().entries, 30, "it reads", every=0)
            orphans = readers(process.pid)
        finally:
            process.kill()
    assert orphans
    assert psutil.wait_procs(orphans, timeout=60)[1] == []
    assert 0 < history.position().entries < ENTRIES
    with following(stock.settings):
        wait_until(lambda: is_complete(history), 60, "another one goes on")
    assert history.counts()[MessageState.SENT] == MANY // 2


@pytest.mark.usefixtures("far")
def test_stopping_ends_it(stock, history, slowly):
    fill(stock, MANY)
    with following(slowly):
        wait_until(lambda: history.position().entries, 30, "it reads", every=0)
        reading = readers(os.getpid())
        assert reading
    assert psutil.wait_procs(reading, timeout=0)[1] == []


def test_nobody_who_lists_processes_sees_a_password(stock):
    with closing(ahead_of(stock.settings.amqp_urls, stock.names)):
        [reader] = readers(os.getpid())
        password = urlsplit(stock.settings.amqp_urls[0]).password
        assert password
        assert password not in " ".join(reader.cmdline())


def test_a_broker_that_goes_away_is_said_in_its_own_words(stock):
    stock.add_waiting("m1")
    url = stock.settings.amqp_urls[0]
    with (
        proxy_before(url) as proxy,
        closing(ahead_of((proxy.through(url),), stock.names)) as ahead,
    ):
        wait_until(lambda: ahead.take(0.1) or ahead.end_passed_at(), 20, "it reads")
        proxy.cut()
        with pytest.raises(ReadingEnded, match=r"no broker answers|closed"):
            wait_until(lambda: ahead.take(1) and None, 20, "it says so")
    with (
        closing(ahead_of(("amqp://127.0.0.1:1/",), stock.names)) as ahead,
        pytest.raises(ReadingEnded, match=r"no broker answers at 127\.0\.0\.1:1"),
    ):
        wait_until(lambda: ahead.take(1) and None, 20, "it says so")


def test_a_journal_that_is_deleted_is_said(stock):
    stock.add_waiting("m1")
    with closing(ahead_of(stock.settings.amqp_urls, stock.names)) as ahead:
        wait_until(lambda: ahead.take(0.1) or ahead.end_passed_at(), 20, "it reads")
        with open_channel(stock.settings.amqp_urls, name="test") as channel:
            channel.queue_delete(stock.names.journal)
        with pytest.raises(ReadingEnded, match="journal was deleted"):
            wait_until(lambda: ahead.take(1) and None, 20, "it says so")


def test_what_it_prints_is_no_batch():
    """Whatever a library may write to stdout goes where its errors go."""
    script = f"import runpy, builtins; print('words'); runpy.run_module({PROGRAM!r}, run_name='__main__')"
    task = pickle.dumps(("amqp://127.0.0.1:1/",))
    done = subprocess.run([sys.executable, "-c", script], input=task, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"Traceback" in done.stderr
