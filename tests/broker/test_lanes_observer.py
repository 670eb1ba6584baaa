"""All lanes over one connection: what it costs, whom it keeps waiting, and what happens when it breaks."""

import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
import structlog
from factories import make_event
from pika.adapters.blocking_connection import BlockingChannel
from tcp_proxy import proxy_before

from antrian.broker import background_thread, topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.lane_state import QUICK, read_state, write_state
from antrian.broker.topology import Names, topology
from antrian.domain.delay_ladder import LADDER_LEVELS
from antrian.domain.errors import BrokerError
from antrian.domain.events import EVENT_PROPERTIES
from antrian.operations.lane.lane_reader import LaneReader
from antrian.operations.lane.observer import LanesObserver
from waiting import wait_until

MANY = 200
_PATIENCE = 60


@pytest.fixture
def many(stock):
    """Settings of many lanes that are there; two queues each, because nobody publishes to them."""
    lanes = tuple(f"lane{number:03d}={62_811_000_000_000 + number}" for number in range(MANY))
    ours = stock.settings.model_copy(update={"whatsapp_queue_lanes": lanes})
    queues = [queue for lane in ours.lanes for queue in (stock.names.lane(lane), stock.names.state(lane))]
    with open_channel(ours.amqp_urls, name="test set-up") as channel:
        for queue in queues:
            channel.queue_declare(queue)
        yield ours
        for queue in queues:
            channel.queue_delete(queue)


@pytest.fixture
def declares(monkeypatch):
    """How often each queue was asked for, by any channel of this process; the broker is asked all the same."""
    asked = Counter()
    real = BlockingChannel.queue_declare

    def counted(self, queue, *arguments, **named):
        asked[queue] += 1
        return real(self, queue, *arguments, **named)

    monkeypatch.setattr(BlockingChannel, "queue_declare", counted)
    return asked


@contextmanager
def observing(settings, url=None, on_event=lambda _event: None):
    observer = LanesObserver(settings, (url or settings.amqp_urls[0],), tuple(settings.lanes), on_event)
    observer.start()
    try:
        wait_until(lambda: observer.away_since is None, _PATIENCE, "the lanes are observed")
        yield observer
    finally:
        observer.stop()


def tell(settings, event):
    with open_channel(settings.amqp_urls, name="test consumer") as channel:
        names = Names(settings.whatsapp_queue_namespace)
        channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)


def test_many_lanes_need_one_connection_and_count_what_they_share_once(many, declares):
    names = Names(many.whatsapp_queue_namespace)
    with proxy_before(many.amqp_urls[0]) as proxy, observing(many, proxy.through(many.amqp_urls[0])) as observer:
        declares.clear()
        began = time.monotonic()
        readings = observer.ask_all().result(_PATIENCE)
        all_of_them = time.monotonic() - began
        assert set(readings) == set(many.lanes)
        assert all(reading is not None and reading.status.waiting == 0 for reading in readings.values())
        assert proxy.connections == 1
        assert [declares[names.delay(level)] for level in range(LADDER_LEVELS)] == [1] * LADDER_LEVELS
        assert declares[names.dead] == declares[names.dead_callbacks] == 1
        assert declares.total() == MANY + LADDER_LEVELS + 2
        # Whoever asks again at once is answered from that look.
        observer.ask_all().result(_PATIENCE)
        assert declares.total() == MANY + LADDER_LEVELS + 2
    began = time.monotonic()
    with open_channel(many.amqp_urls, name="test") as channel:
        reader = LaneReader(channel, many, "lane000")
        reader.catch_up()
        reader.status()
    one_by_itself = time.monotonic() - began
    # One by one they would take two hundred times as long.
    assert all_of_them < MANY / 4 * one_by_itself


def test_a_question_about_one_lane_does_not_wait_for_a_look_at_all(many):
    with observing(many) as observer:
        order = []
        everything = observer.ask_all()
        everything.add_done_callback(lambda _answer: order.append("all"))
        observer.ask("lane150").add_done_callback(lambda _answer: order.append("one"))
        everything.result(_PATIENCE)
        assert order == ["one", "all"]


def test_what_happens_in_a_lane_is_told_of_that_lane_only(two_lanes):
    told = []
    with observing(two_lanes.settings, on_event=told.append) as observer:
        at = time.time()
        tell(two_lanes.settings, make_event("sent", "m1", at=at, lane="other"))
        wait_until(lambda: told, _PATIENCE, "it is told")
        assert [event.message_id for event in observer.latest("other")] == ["m1"]
        assert observer.latest("default") == ()
        assert observer.ask("other").result(_PATIENCE).status.last_sent_at == pytest.approx(at, abs=0.001)
        assert observer.ask("default").result(_PATIENCE).status.last_sent_at is None


def test_a_new_connection_tells_nothing_twice_and_misses_nothing(two_lanes):
    told, url = [], two_lanes.settings.amqp_urls[0]
    with (
        proxy_before(url) as proxy,
        observing(two_lanes.settings, proxy.through(url), on_event=told.append) as observer,
    ):
        # The clock of one lane's consumer is ahead: it must not hide what happens in the other lane.
        tell(two_lanes.settings, make_event("sent", "m1", at=time.time() + 30, lane="other"))
        wait_until(lambda: told, _PATIENCE, "the first is told")
        proxy.shut()
        wait_until(lambda: observer.away_since, _PATIENCE, "the connection is gone")
        with pytest.raises(BrokerError):
            observer.ask("default").result(_PATIENCE)
        tell(two_lanes.settings, make_event("sent", "m2", at=time.time(), lane="default"))
        proxy.open()
        wait_until(lambda: len(told) > 1, _PATIENCE, "the second is told")
        wait_until(lambda: observer.away_since is None, _PATIENCE, "the lanes are observed again")
        assert observer.ask("other").result(_PATIENCE).status.last_sent_at is not None
        assert [event.message_id for event in told] == ["m1", "m2"]


def test_a_lane_that_is_missing_is_said_and_the_others_are_answered(stock):
    both = stock.settings.model_copy(update={"whatsapp_queue_lanes": ("default", "other=628111111111")})
    with observing(both) as observer:
        with pytest.raises(BrokerError, match=r"has no lane other .* run `antrian topology apply`"):
            observer.ask("other").result(_PATIENCE)
        assert observer.ask("default").result(_PATIENCE).status.waiting == 0
        assert observer.ask_all().result(_PATIENCE)["other"] is None
        with open_channel(both.amqp_urls, name="test admin") as channel:
            topology_sync.apply(channel.connection, topology(both))
        write_state(both.amqp_urls, stock.names, "other", paused=True, actor="ani")
        assert observer.ask("other").result(_PATIENCE).status.paused_by == "ani"


def test_an_observer_that_is_lost_is_told_and_started_again(stock, monkeypatch):
    monkeypatch.setattr(background_thread, "RESTART_PERIOD", 0.05)
    told, fatal = [], threading.Event()

    def hear(event):
        if not fatal.is_set():
            fatal.set()
            raise SystemExit("what no handler of exceptions catches")
        told.append(event)

    with structlog.testing.capture_logs() as logs, observing(stock.settings, on_event=hear) as observer:
        assert observer.is_well
        tell(stock.settings, make_event("sent", "m1", at=time.time()))
        wait_until(lambda: not observer.is_well, _PATIENCE, "the loss is noticed")
        wait_until(lambda: observer.away_since is None, _PATIENCE, "the lanes are observed again")
        assert observer.ask("default").result(_PATIENCE).status.waiting == 0
        tell(stock.settings, make_event("sent", "m2", at=time.time()))
        wait_until(lambda: [one.message_id for one in told] == ["m2"], _PATIENCE, "it goes on telling")
    assert [(one["event"], one["thread"]) for one in logs if one["log_level"] == "critical"] == [
        ("thread.lost", "antrian-observer")
    ]


def test_a_reader_that_stands_still_does_not_hide_a_pause_from_others(stock):
    url = stock.settings.amqp_urls[0]
    with proxy_before(url) as proxy, open_channel((url,), name="test") as ours:
        write_state((url,), stock.names, "default", paused=True, actor="ani")
        with open_channel((proxy.through(url),), name="test slow reader") as slow:
            slow.connection.channel().close()
            found = []
            proxy.freeze(answers_only=True)
            reading = threading.Thread(
                target=lambda: found.append(read_state(slow, stock.names, "default")), daemon=True
            )
            reading.start()
            for _ in range(30):
                assert read_state(ours, stock.names, "default", QUICK).paused
            proxy.thaw()
            reading.join(_PATIENCE)
            assert found[0].paused
