"""Many lanes in one process: one connection, and what breaks one of them leaves the others alone."""

import threading
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Self

import pytest
from pika.exceptions import ChannelClosedByBroker
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.domain.lane import Lane
from antrian.domain.settings import Settings
from antrian.providers.contract import Outgoing, Sent
from consumer.observers import Observer, ProviderCall
from consumer.served_lanes import ServedLanes
from waiting import wait_until


class Watch:
    """A provider and an observer in one: notes what one lane does."""

    name = "watch"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.calls: list[ProviderCall] = []
        self.failures = 0

    def send(self, outgoing: Outgoing) -> Sent:
        self.sent.append(outgoing.message_id)
        return Sent()

    def close(self) -> None:
        pass

    def called(self, call: ProviderCall) -> None:
        self.calls.append(call)

    def recorded(self, event: Any) -> None:
        pass

    def heard(self, event: Any, *, counts: bool) -> None:
        pass

    def broken(self) -> None:
        self.failures += 1


class Process:
    """A consumer's lanes, run in a thread."""

    def __init__(self, settings: Settings, *names: str) -> None:
        self.settings = settings
        self.watches: dict[str, Watch] = {}
        self.equipped: Counter[str] = Counter()
        lanes = {name: settings.lanes[name] for name in names or settings.lanes}
        self.lanes = ServedLanes(settings, settings.amqp_urls, lanes, equip=self._equip)
        self._thread = threading.Thread(target=self.lanes.run)

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_until_subscribed(*self.watches)
        return self

    def __exit__(self, *_: object) -> None:
        self.lanes.stop()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def wait_until_subscribed(self, *names: str) -> None:
        def subscribed() -> bool:
            return {one.lane for one in self.lanes.snapshots() if one.phase == "waiting"} >= set(names)

        wait_until(subscribed, 60, f"{names} wait for messages")

    def _equip(self, lane: Lane, _settings: Settings) -> tuple[Watch, list[Observer]]:
        self.equipped[lane.name] += 1
        watch = self.watches.setdefault(lane.name, Watch())
        return watch, [watch]


@pytest.fixture
def several(settings: Settings) -> Stock:
    """Queues of the lanes `a`, `b` and `c`."""
    senders = {"a": "62811000001", "b": "62811000002", "c": "62811000003"}
    specs = tuple(f"{name}={sender}" for name, sender in senders.items())
    return Stock(settings.model_copy(update={"whatsapp_queue_lanes": specs}))


@pytest.fixture
def process(several: Stock) -> Iterator[Process]:
    with Process(several.settings) as running:
        yield running


def test_a_queue_that_is_deleted_costs_its_own_lane_alone(several, process) -> None:
    several.add_waiting("b1", "b2", "b3", "b4", lane="b")
    wait_until(lambda: process.watches["b"].sent, 20, "b sends")
    with open_channel(several.settings.amqp_urls, name="test vandal") as channel:
        channel.queue_delete(several.names.lane("a"))
    wait_until(lambda: len(process.watches["b"].sent) == 4, 30, "b goes on")
    wait_until(lambda: is_subscribed(several, "a"), 30, "it is made again, with its bindings, and subscribed to")
    several.add_waiting("a1", lane="a")
    wait_until(lambda: process.watches["a"].sent == ["a1"], 30, "a is served again")
    assert process.equipped == {"a": 1, "b": 1, "c": 1}
    assert process.watches["b"].sent == ["b1", "b2", "b3", "b4"]
    calls = process.watches["b"].calls
    assert all(later.began - earlier.ended >= 0.3 for earlier, later in pairwise(calls))


def is_subscribed(stock: Stock, lane: str) -> bool:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        try:
            return channel.queue_declare(stock.names.lane(lane), passive=True).method.consumer_count > 0
        except ChannelClosedByBroker:
            return False


def test_a_lane_whose_code_fails_begins_again_and_the_others_go_on(several, process, monkeypatch) -> None:
    tick = process.lanes._workers["a"]._tick
    handle, calls = tick.handle, Counter()

    async def fail_once(delivery: Any) -> None:
        calls["a"] += 1
        if calls["a"] == 1:
            raise ValueError("a bug")
        await handle(delivery)

    monkeypatch.setattr(tick, "handle", fail_once)
    for lane in ("a", "b"):
        several.add_waiting(f"{lane}1", f"{lane}2", lane=lane)
    wait_until(lambda: all(len(process.watches[lane].sent) == 2 for lane in ("a", "b")), 60, "both send all")
    assert process.watches["a"].sent == ["a1", "a2"]
    assert {lane: watch.failures for lane, watch in process.watches.items()} == {"a": 1, "b": 0, "c": 0}


def test_a_lane_that_is_added_knows_what_was_sent_before(several) -> None:
    """A message that was sent and never acked, as a kill leaves it, is not sent again by a lane that joins later."""
    with Process(several.settings, "a") as former:
        several.add_waiting("a1", lane="a")
        wait_until(lambda: former.watches["a"].sent == ["a1"], 20, "it is sent")
    with Process(several.settings, "b") as process:
        several.add_waiting("b1", lane="b")
        wait_until(lambda: process.watches["b"].sent == ["b1"], 20, "b sends")
        several.add_waiting("a1", "a2", lane="a")
        done = threading.Event()
        lanes = {name: several.settings.lanes[name] for name in ("a", "b")}
        process.lanes.apply(several.settings, lanes, done.set)
        wait_until(lambda: process.watches.get("a") and process.watches["a"].sent == ["a2"], 30, "a sends what is new")
        assert done.is_set()
        assert process.equipped == {"a": 1, "b": 1}


def test_all_lanes_share_one_connection(several, process) -> None:
    several.add_waiting("a1", lane="a")
    wait_until(lambda: process.watches["a"].sent, 20, "a sends")
    links = {id(worker.link._connection) for worker in process.lanes._workers.values()}
    assert len(links) == 1
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("antrian-connection") == 1
