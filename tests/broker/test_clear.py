from concurrent.futures import ThreadPoolExecutor

import pytest
from queue_fixture import Stock, ids

from antrian.broker.connection import open_channel
from antrian.domain.message import decode
from antrian.operations.lane.clearing import Clearing, Scope


@pytest.fixture
def settings(settings):
    """Lanes whose messages can be taken out one by one; the last test has the others."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


def clear(stock: Stock, scope: Scope = Scope.QUEUED, lane: str = "default"):
    return Clearing(stock.settings, lane, "cli:ani").run(scope)


def test_everything_that_waits_is_taken_out_and_each_message_is_told(stock):
    stock.add_waiting("m1", "m2", priority=9)
    stock.add_waiting("m3")
    cleared = clear(stock)
    assert (cleared.cleared_queued, cleared.cleared_failed, cleared.in_flight) == (3, 0, 0)
    assert stock.in_lane() == []
    events = stock.events("outcome.cleared")
    assert {event.message_id for event in events} == {"m1", "m2", "m3"}
    assert {event.details["undo_id"] for event in events} == {cleared.undo_id}


def test_the_journal_tells_who_cleared_what(stock):
    stock.add_waiting("m1")
    cleared = clear(stock)
    [event] = stock.events("lane.cleared")
    assert event.source == "cli:ani"
    assert event.details["undo_id"] == cleared.undo_id
    assert (event.details["scope"], event.details["queued"], event.details["failed"]) == ("queued", 1, 0)


def test_delayed_messages_of_this_lane_are_taken_out_and_others_stay(two_lanes):
    two_lanes.add_delayed("m1", seconds=3600)
    two_lanes.add_delayed("m2", seconds=90_000)
    two_lanes.add_delayed("m3", lane="other")
    assert clear(two_lanes).cleared_queued == 2
    assert two_lanes.delayed() == 1
    assert {event.message_id for event in two_lanes.events("outcome.cleared")} == {"m1", "m2"}


def test_two_lanes_that_are_cleared_at_once_hide_nothing_from_each_other(two_lanes):
    for lane in ("default", "other"):
        for number in range(60):
            two_lanes.add_delayed(f"{lane}{number}", seconds=3600, lane=lane)
    with ThreadPoolExecutor() as pool:
        taken = list(pool.map(lambda lane: clear(two_lanes, lane=lane).cleared_queued, ("default", "other")))
    assert taken == [60, 60]
    assert two_lanes.delayed() == 0


def test_a_delayed_message_of_another_lane_still_comes_in_time(two_lanes):
    two_lanes.add_delayed("m1", seconds=1, lane="other")
    clear(two_lanes)
    two_lanes.wait_for(two_lanes.names.lane("other"), 1)


def test_other_lanes_are_not_touched(two_lanes):
    two_lanes.add_waiting("m1")
    two_lanes.add_waiting("m2", lane="other")
    two_lanes.add_dead("m3", lane="other")
    assert clear(two_lanes, Scope.ALL).cleared_queued == 1
    assert ids(two_lanes.in_lane("other")) == ["m2"]
    assert ids(two_lanes.dead()) == ["m3"]


@pytest.mark.parametrize(("scope", "queued", "failed"), [("queued", 1, 0), ("failed", 0, 2), ("all", 1, 2)])
def test_the_scope_says_what_is_cleared(stock, scope, queued, failed):
    stock.add_waiting("m1")
    stock.add_dead("m2", "m3")
    cleared = clear(stock, Scope(scope))
    assert (cleared.cleared_queued, cleared.cleared_failed) == (queued, failed)
    assert (len(stock.in_lane()), len(stock.dead())) == (1 - queued, 2 - failed)


def test_what_nobody_can_read_is_cleared_as_well(stock):
    stock.add_garbage(stock.names.messages)
    assert clear(stock).cleared_queued == 1


def test_a_message_that_a_consumer_holds_is_not_touched(stock):
    stock.add_waiting("m1", "m2")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_qos(prefetch_count=1)
        lane = stock.names.lane("default")
        method, properties, body = next(channel.consume(lane, inactivity_timeout=60))
        assert clear(stock).cleared_queued == 1
        assert decode(body, properties, "default", now=0).message_id == "m1"
        channel.basic_ack(method.delivery_tag)
    assert {event.message_id for event in stock.events("outcome.cleared")} == {"m2"}


def test_a_quorum_lane_is_purged_as_a_whole(stock):
    quorum = stock.make_lane_quorum()
    stock.add_waiting("m1", "m2")
    cleared = Clearing(quorum, "default", "cli:ani").run(Scope.QUEUED)
    assert cleared.cleared_queued == 2
    assert stock.count(stock.names.lane("default")) == 0
    # Told before it was done and after, so that a crash in between would leave a trace.
    assert [event.details["unlisted"] for event in stock.events("lane.cleared")] == [2, 2]
