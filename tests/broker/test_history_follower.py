import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC
from functools import partial
from types import SimpleNamespace

import pytest
from antrian_process import AntrianProcess
from factories import PHONE
from followed import catch_up, following
from journal_entries import dump
from pydantic import SecretStr
from queue_fixture import Stock, message

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.stream import feed as stream_feed
from antrian.broker.stream.feed import StreamFeed
from antrian.broker.stream.lookup import first_from, stream_channel
from antrian.broker.topology import topology
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import encode
from antrian.history import follower as follower_module
from antrian.history.follower import HistoryFollower
from antrian.history.projection import history_file
from antrian.history.queries.history import History, history_path
from antrian.history.queries.report import Period
from antrian.history.rebuild import rebuild
from antrian.history.records import MessageFilter, MessageState
from publisher import Publisher
from waiting import elapsed, wait_until

NASTY = (
    b"",
    b"\x00\xff",
    b"{}",
    b"[]",
    b"9" * 5000,
    b'{"name":"outcome.sent","at":1e999,"lane":"x"}',
    b'{"name":"outcome.sent","at":' + b"9" * 400 + b',"lane":"x","message_id":"a"}',
    b'{"name":"outcome.sent","at":1.0,"lane":"\\ud800","message_id":"\\ud800","details":{"provider_id":"\\ud800"}}',
    b'{"name":"job.started","at":5,"lane":"","details":{"job_id":"j","selected":1e400,"options":[]}}',
    b'{"name":"outcome.retrying","at":5,"lane":"","message_id":"b","generation":' + b"9" * 30 + b"}",
)


@pytest.fixture
def settings(settings):
    """Classic lanes: what the queues are made of makes no difference to the journal."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


def tell(stock: Stock, name: str, message_id: str, **details) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        event = Event(name, time.time(), "default", message_id, attempt=1, source="test", details=details)
        channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def publish_many(stock: Stock, count: int, prefix: str = "m") -> None:
    """Without confirms but for the last one: then the others are in the journal too, for they came to it before."""
    with open_channel(stock.settings.amqp_urls, name="test") as channel, channel.connection.channel() as fast:
        for number in range(count - 1):
            body, properties = encode(message(f"{prefix}{number}"))
            fast.basic_publish(stock.names.messages, "default", body, properties)
    stock.add_waiting(f"{prefix}{count - 1}")


def delete_journal(stock: Stock) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(stock.names.journal)


def declare_again(stock: Stock) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        topology_sync.apply(channel.connection, topology(stock.settings))


def seconds_until(condition) -> float:
    began_at = time.monotonic()
    wait_until(condition, 10, "it is known", every=0.01)
    return time.monotonic() - began_at


def first_offset(stock: Stock) -> int:
    with stream_channel(stock.settings.amqp_urls, stock.names.journal, name="test") as channel:
        first = first_from(channel, stock.names.journal, "first", 60)
        assert first is not None
        return first.offset


def is_sent(history: History, message_id: str) -> bool:
    return history.message(message_id).state is MessageState.SENT


def test_what_happens_is_in_the_history_within_a_second(stock, history):
    known, sent = [], []
    with following(stock.settings) as follower:
        catch_up(follower)
        # The quickest counts: a machine with other things to do holds some of them up, a slow follower all of them.
        for message_id in ("m1", "m2", "m3", "m4", "m5"):
            stock.add_waiting(message_id)
            known.append(seconds_until(partial(history.message, message_id)))
            tell(stock, "outcome.sent", message_id, provider_id="p1")
            sent.append(seconds_until(partial(is_sent, history, message_id)))
    assert min(known) < 1
    assert min(sent) < 1


def test_a_barrier_passes_when_everything_is_in_the_history(stock, history):
    with following(stock.settings) as follower:
        publish_many(stock, 3_000)
        catch_up(follower)
        assert history.counts()[MessageState.WAITING] == 3_000


def test_it_keeps_up_and_says_so(stock, history):
    with following(stock.settings) as follower:
        catch_up(follower)
        wait_until(lambda: history.position().checked_at, 10, "it has caught up")
        wait_until(lambda: follower.lag_seconds == 0, 10, "it keeps up")
        assert (follower.is_writer, follower.trouble) == (True, "")


def test_it_goes_on_where_it_stopped(stock, history):
    with following(stock.settings) as follower:
        stock.add_waiting("m1", "m2")
        catch_up(follower)
    stock.add_waiting("m3")
    with following(stock.settings) as follower:
        catch_up(follower)
    assert {one.message_id for one in history.messages(MessageFilter()).items} == {"m1", "m2", "m3"}
    assert history.position().entries == 3
    assert history.position().gaps == ()


def test_a_history_of_the_version_before_is_made_again_from_the_journal_without_loss(stock, history):
    stock.add_waiting("m1", "m2")
    tell(stock, "outcome.sent", "m1", provider_id="p1")
    with following(stock.settings) as follower:
        catch_up(follower)
    with closing(sqlite3.connect(history.path, timeout=60)) as file, file:
        file.executescript("DROP TABLE quarters; DROP TABLE quarter_waits; DROP TABLE causes; PRAGMA user_version = 1")
    assert history.counts()[MessageState.SENT] == 0, "nothing is read from a file of another version"
    with following(stock.settings) as follower:
        wait_until(lambda: history.position().entries == 3, 20, "the history is complete again")
        catch_up(follower)
    assert (history.counts()[MessageState.SENT], history.counts()[MessageState.WAITING]) == (1, 1)
    assert history.report(Period.WEEK, UTC).totals.sent == 1
    assert history.position().gaps == ()


def test_of_two_followers_one_writes_and_the_other_takes_over(stock, history):
    with following(stock.settings) as first:
        wait_until(lambda: first.is_writer, 10, "the first writes")
        with following(stock.settings) as second:
            stock.add_waiting("m1")
            catch_up(second)
            assert not second.is_writer
            wait_until(lambda: second.lag_seconds == 0, 10, "the second has caught up as well")
            first.stop()
            stock.add_waiting("m2")
            wait_until(lambda: second.is_writer, 10, "the second writes")
            catch_up(second)
    assert history.counts()[MessageState.WAITING] == 2


def test_a_killed_writer_is_replaced(stock, history):
    script = (
        "import sys, time; from antrian.history.follower import HistoryFollower; "
        "from antrian.history.queries.history import history_path; from antrian.domain.settings import load_settings; "
        "s = load_settings(); f = HistoryFollower(s, history_path(s), urls=s.amqp_urls); f.start(); time.sleep(600)"
    )
    environment = os.environ | {
        "AMQP_URL": stock.settings.amqp_urls[0],
        "ANTRIAN_HOME": str(stock.settings.antrian_home),
        "WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace,
    }
    stock.add_waiting("m1")
    with AntrianProcess(["-c", script], env=environment) as process:
        try:
            wait_until(lambda: history.message("m1"), 20, "the other process writes")
            with following(stock.settings) as follower:
                process.send_signal(signal.SIGKILL)
                process.wait(60)
                stock.add_waiting("m2")
                catch_up(follower)
                assert follower.is_writer
        finally:
            process.kill()
    assert history.counts()[MessageState.WAITING] == 2
    assert history.position().entries == 2


@pytest.mark.parametrize("what", ["link", "file", "garbage", "words"])
def test_a_history_that_is_deleted_or_spoilt_on_the_way_is_made_again(stock, history, what):
    with following(stock.settings) as follower:
        publish_many(stock, 500)
        wait_until(lambda: history.counts()[MessageState.WAITING], 20, "the history has begun")
        path = history.path
        if what == "link":
            path.unlink()
        elif what == "file":
            path.resolve().unlink()
        elif what == "words":
            with closing(sqlite3.connect(path, timeout=60)) as file, file:
                file.execute("DELETE FROM words_data")
        else:
            # In one step: between two, the follower might make a new history, and this one be spoilt as well.
            garbage = path.with_name("garbage")
            garbage.write_bytes(b"no database at all" * 1000)
            garbage.replace(path)
        publish_many(stock, 500, "n")
        wait_until(lambda: stock.count(stock.names.lane("default")) == 1_000, 20, "all are published")
        wait_until(lambda: history.position().entries == 1_000, 20, "the history is complete")
        catch_up(follower)
    assert history.counts()[MessageState.WAITING] == 1_000
    assert len(list(path.parent.glob("history-*.db"))) == 2


def test_a_journal_that_was_made_again_while_it_was_read_is_a_gap(stock, history):
    with following(stock.settings) as follower:
        stock.add_waiting("m1", "m2", "m3")
        catch_up(follower)
        delete_journal(stock)
        wait_until(lambda: "journal" in follower.trouble, 10, "the trouble is told")
        declare_again(stock)
        stock.add_waiting("m4")
        wait_until(lambda: history.message("m4"), 20, "it reads the new journal")
        position = history.position()
        assert (position.journal, position.offset, position.entries) == (1, 0, 4)
        assert len(position.gaps) == 1
        wait_until(lambda: follower.trouble == "", 10, "the trouble is over")
    assert [entry.journal for entry in history.life("m4")] == [1]


@pytest.mark.parametrize("length", [1, 3, 5])
def test_a_journal_that_was_made_again_meanwhile_is_a_gap(stock, history, length):
    with following(stock.settings) as follower:
        stock.add_waiting("m1", "m2", "m3")
        catch_up(follower)
    delete_journal(stock)
    declare_again(stock)
    stock.add_waiting(*(f"n{number}" for number in range(length)))
    with following(stock.settings):
        wait_until(lambda: history.position().journal == 1, 20, "the new journal is noticed")
        wait_until(lambda: history.message(f"n{length - 1}"), 20, "it is read")
    assert len(history.position().gaps) == 1
    assert history.counts()[MessageState.WAITING] == 3 + length


def test_a_barrier_does_not_take_what_was_read_of_another_journal_for_this_one(stock, history):
    with following(stock.settings) as follower:
        stock.add_waiting(*(f"m{number}" for number in range(50)))
        catch_up(follower)
    delete_journal(stock)
    declare_again(stock)
    stock.add_waiting("n1", "n2")
    with following(stock.settings) as follower:
        catch_up(follower)
        assert history.message("n2") is not None
        assert history.position().journal == 1


def test_entries_that_retention_took_are_a_gap(stock, history):
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(stock.names.journal)
        # Streams drop whole segments, and only when the next one begins.
        arguments = {"x-queue-type": "stream", "x-max-length-bytes": 20_000, "x-stream-max-segment-size-bytes": 10_000}
        channel.queue_declare(stock.names.journal, durable=True, arguments=arguments)
        for source, key in ((stock.names.events, "#"), (stock.names.lane("default"), "")):
            channel.queue_bind(stock.names.journal, source, key)
    with following(stock.settings) as follower:
        stock.add_waiting("m1")
        catch_up(follower)
    for number in range(30):
        stock.add_waiting(*(f"n{number}-{one}" for one in range(20)))
    # The broker drops them in the background.
    wait_until(lambda: first_offset(stock) > 0, 20, "the first ones are gone")
    with following(stock.settings) as follower:
        catch_up(follower)
    position = history.position()
    assert position.journal == 0
    assert len(position.gaps) == 1
    assert history.message("m1") is not None
    assert history.message("n29-19") is not None
    assert position.entries < 601


def test_without_a_journal_it_waits_and_says_so(settings, history):
    with following(settings) as follower:
        wait_until(lambda: "journal" in follower.trouble, 10, "the trouble is told")
        assert not follower.barrier(1)
        stock = Stock(settings)
        stock.add_waiting("m1")
        wait_until(lambda: history.message("m1"), 20, "it reads")
        wait_until(lambda: follower.trouble == "", 10, "the trouble is over")


def test_without_a_broker_it_says_so_and_the_history_can_be_asked(settings):
    follower = HistoryFollower(settings, history_path(settings), urls=("amqp://127.0.0.1:1/",))
    follower.start()
    try:
        wait_until(lambda: "no broker answers" in follower.trouble, 20, "the trouble is told")
        assert History(history_path(settings)).messages(MessageFilter()).items == ()
        assert not follower.barrier(0.2)
        wait_until(lambda: follower.lag_seconds > 1, 10, "it is behind")
    finally:
        follower.stop()


def test_the_broker_may_come_and_go(own_node, settings):
    settings = settings.model_copy(update={"amqp_url": SecretStr(own_node.url)})
    stock, history = Stock(settings), History(history_path(settings))
    follower = HistoryFollower(settings, history.path, urls=settings.amqp_urls)
    follower.start()
    try:
        stock.add_waiting("m1")
        wait_until(lambda: history.message("m1"), 20, "it reads")
        own_node.stop()
        wait_until(lambda: follower.trouble, 20, "the trouble is told")
        own_node.start(tied_to_parent=True)
        # A broker that has just started keeps what its streams do not get; our publisher waits for them.
        with Publisher(settings, confirm_timeout=60) as publisher:
            publisher.queue_message(PHONE, "text", message_id="m2")
        wait_until(lambda: history.message("m2"), 60, "it reads again")
        assert history.position().gaps == ()
    finally:
        follower.stop(60)


def test_strangers_may_write_what_they_like(stock, history):
    names = stock.names
    with following(stock.settings) as follower, open_channel(stock.settings.amqp_urls, name="test") as channel:
        for exchange in (names.messages, names.scheduled, names.dead, names.events):
            for body in NASTY:
                channel.basic_publish(exchange, "default", body)
        stock.add_waiting("m1")
        catch_up(follower)
        wait_until(lambda: follower.trouble == "", 10, "there is no trouble")
    assert history.message("m1").state is MessageState.WAITING
    assert history.position().entries == 4 * len(NASTY) + 1
    for one in history.messages(MessageFilter(), limit=100).items:
        # Only lines that tell of 1970 may be forgotten already.
        assert history.life(one.message_id) or (one.changed_at or 0) < 10


def test_a_rebuilt_history_is_the_followed_one(stock, history):
    with following(stock.settings) as follower:
        publish_many(stock, 300)
        stock.add_dead("d1", "d2")
        stock.add_delayed("s1")
        for number in range(0, 300, 2):
            tell(stock, "outcome.sent", f"m{number}", provider_id=f"p{number}")
        catch_up(follower)
    followed = dump(history)
    rebuild(stock.settings, history.path, stock.settings.amqp_urls)
    rebuilt = dump(history)
    for found in (followed, rebuilt):
        # When it was read differs, and how many entries shared a transaction.
        found["position"] = [(*row[:2], *row[4:]) for row in found["position"]]
    assert rebuilt == followed


def test_what_a_killed_rebuild_left_behind_is_removed_by_the_next(stock, history):
    stock.add_waiting("m1")
    orphan = history_file.build(history.path)
    os.utime(orphan, (0, 0))
    rebuild(stock.settings, history.path, stock.settings.amqp_urls)
    assert not orphan.exists()
    assert history.message("m1")


def test_a_history_is_rebuilt_beside_the_one_in_use(stock, history):
    with following(stock.settings) as follower:
        publish_many(stock, 300)
        catch_up(follower)
        before = history_file.inode(history.path)
        counts: set[int] = set()
        over = threading.Event()

        def watch():
            while not over.is_set():
                counts.add(history.counts()[MessageState.WAITING])

        watcher = threading.Thread(target=watch)
        watcher.start()
        rebuild(stock.settings, history.path, stock.settings.amqp_urls)
        over.set()
        watcher.join(60)
        assert history_file.inode(history.path) != before
        assert counts == {300}
        stock.add_waiting("later")
        wait_until(lambda: history.message("later"), 20, "the follower has noticed")
        assert history.counts()[MessageState.WAITING] == 301
        assert follower.is_writer
    assert [file.suffix for file in history.path.parent.glob("history-*.new*")] == []


def test_a_long_journal_is_followed_again_after_a_restart(stock, history, settings):
    stock.add_waiting(*(f"m{number}" for number in range(3_000)))
    with following(settings):
        wait_until(lambda: history.position().offset >= 2_999, 20, "it has read everything")
    stock.add_waiting("one-more")
    with following(settings) as follower:
        wait_until(lambda: history.message("one-more"), 10, "it goes on")
        wait_until(lambda: follower.trouble == "", 10, "there is no trouble")


def test_a_history_that_is_far_behind_catches_up_after_a_restart(stock, history, settings):
    stock.add_waiting("m")
    with following(settings):
        wait_until(lambda: history.message("m"), 10, "it has read everything")
    stock.add_waiting(*(f"m{number}" for number in range(3_000)))
    with following(settings):
        wait_until(lambda: history.position().offset >= 3_000, 20, "it has read everything")


def test_a_clock_that_is_set_back_neither_makes_old_news_of_a_read_nor_keeps_the_follower_busy(stock, monkeypatch):
    offset, looks = 0.0, []
    ours = SimpleNamespace(**(vars(time) | {"time": lambda: time.time() + offset}))
    monkeypatch.setattr(follower_module, "time", ours)
    monkeypatch.setattr(stream_feed, "time", ours)
    look = StreamFeed.look_for_the_end
    monkeypatch.setattr(StreamFeed, "look_for_the_end", lambda feed: looks.append(feed) or look(feed))
    stock.add_waiting("m1")
    with following(stock.settings) as follower:
        catch_up(follower)
        assert wait_until(lambda: follower.catch_up(20), 20, "it is read up")
        offset = -3600.0
        # Twice: the first brings the time of the latest look back.
        for number in (2, 3):
            stock.add_waiting(*(f"m{number}-{one}" for one in range(300)))
            assert wait_until(lambda: follower.catch_up(20), 20, "it is read up")
            assert follower._history.message(f"m{number}-299") is not None
        looks.clear()
        wait_until(elapsed(0.5), 10, "it has been idle")
        assert len(looks) < 50
