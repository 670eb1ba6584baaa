"""Clearing by source, key, priority and selection: exactly what fits, in one piece, and back again."""

import os
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from antrian_process import AntrianProcess
from dead_letter_service import running
from followed import catch_up
from queue_fixture import ids, message

from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.history.records import MessageState
from antrian.operations.lane.clear_filter import ClearFilter, PartlyUnclearable
from antrian.operations.lane.clearing import Clearing, Scope
from antrian.operations.lane.control import cancel
from antrian.operations.lane.partial_clearing import PartialClearing, PendingChoice
from waiting import elapsed, wait_until


@pytest.fixture
def settings(settings):
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


@pytest.fixture
def parts(stock):
    with running(stock) as ours:
        yield ours


def clearing(stock, parts, settings=None):
    return PartialClearing(settings or stock.settings, parts.history, parts.follower, "default", "cli:ani")


def clear(stock, parts, **wanted):
    return clearing(stock, parts).run(PendingChoice(**wanted))


def test_one_campaign_is_taken_out_of_the_middle_and_the_rest_keeps_its_order(stock, parts):
    stock.add_waiting("r1", "r2", source="registration")
    stock.add_waiting("c1", "c2", source="campaign")
    stock.add_delayed("c3", source="campaign")
    stock.add_delayed("r3", source="registration")
    stock.add_waiting("r4", source="registration", priority=9)
    choice = PendingChoice(source="campaign")
    assert clearing(stock, parts).count(choice) == 3
    cleared = clearing(stock, parts).run(choice)
    assert (cleared.cleared_queued, cleared.cancelling, cleared.refused) == (3, 0, 0)
    assert (ids(stock.in_lane()), stock.delayed()) == (["r4", "r1", "r2"], 1)
    assert {event.message_id for event in stock.events("outcome.cleared")} == {"c1", "c2", "c3"}
    [event] = stock.events("lane.cleared")
    assert event.details["filter"] == {"source": "campaign"}


def test_it_is_put_back_once_with_its_priority(stock, parts):
    stock.add_waiting("c1", source="campaign", priority=9)
    stock.add_waiting("r1")
    stock.add_delayed("c2", source="campaign")
    cleared = clear(stock, parts, source="campaign")
    assert parts.undo.run(cleared.undo_id, "cli:ani") == 2
    assert [(one.message_id, one.priority) for one in stock.in_lane()] == [("c1", 9), ("r1", 5)]
    assert stock.delayed() == 1


def test_what_a_rule_holds_is_cleared_by_its_state_and_put_back_until_its_time(stock, parts):
    stock.add_delayed("c1", source="campaign")
    stock.add_delayed("c2", source="campaign")
    until = time.time() + 3_600
    held = {"reason": "cold_cap", "until": until, "due_at": until, "rule": "cold_daily_cap 20"}
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        write_event(channel, stock.names, Event("outcome.held", time.time(), "default", "c1", details=held))
    choice = PendingChoice(states=frozenset({MessageState.HELD}))
    assert clearing(stock, parts).count(choice) == 1
    cleared = clearing(stock, parts).run(choice)
    assert (cleared.cleared_queued, stock.delayed()) == (1, 1)
    assert parts.undo.run(cleared.undo_id, "cli:ani") == 1
    assert stock.delayed() == 2
    catch_up(parts.follower)
    record = parts.history.message("c1")
    assert (record.state, record.due_at) == (MessageState.SCHEDULED, pytest.approx(until, abs=5))


@pytest.mark.parametrize(
    ("wanted", "left"),
    [
        ({"key_prefix": "c-"}, ["m3", "m4", "m1"]),
        ({"priority": "high"}, ["m1", "m2"]),
        ({"priority": "normal", "key_prefix": "c-"}, ["m3", "m4", "m1"]),
        ({"ids": frozenset({"m1", "m4", "no such message"})}, ["m3", "m2"]),
        ({"text": "m2"}, ["m3", "m4", "m1"]),
        ({"states": frozenset({MessageState.SCHEDULED})}, ["m3", "m4", "m1", "m2"]),
        ({"source": "nobody"}, ["m3", "m4", "m1", "m2"]),
    ],
)
def test_everything_that_is_given_must_fit(stock, parts, wanted, left):
    stock.add_waiting("m1")
    stock.add_waiting("m2", idempotency_key="c-1")
    stock.add_waiting("m3", priority=9, idempotency_key="d-1")
    stock.add_waiting("m4", priority=9)
    assert clearing(stock, parts).count(PendingChoice(**wanted)) == 4 - len(left)
    assert clear(stock, parts, **wanted).cleared_queued == 4 - len(left)
    assert ids(stock.in_lane()) == left


def test_what_nobody_can_read_stays_unless_everything_goes(stock, parts):
    stock.add_garbage(stock.names.messages)
    assert clear(stock, parts, source="test").cleared_queued == 0
    assert clear(stock, parts).cleared_queued == 1


def test_what_a_consumer_holds_is_cancelled_and_an_undo_takes_that_back(stock, parts):
    stock.add_waiting("c1", "c2", source="campaign")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_qos(prefetch_count=1)
        next(channel.consume(stock.names.lane("default"), inactivity_timeout=60))
        cleared = clear(stock, parts, source="campaign")
        assert (cleared.cleared_queued, cleared.cancelling) == (1, 1)
    [told] = stock.events("outcome.cancelling")
    assert (told.message_id, told.lane, told.source) == ("c1", "default", "cli:ani")
    assert parts.undo.run(cleared.undo_id, "cli:siti") == 2
    [told] = stock.events("outcome.uncancelled")
    assert (told.message_id, told.lane, told.source) == ("c1", "default", "cli:siti")
    assert sorted(ids(stock.in_lane())) == ["c1", "c2"]


def test_what_was_there_is_told_by_the_journal_and_not_by_a_publisher_s_clock(stock, parts):
    """One that runs ahead must not save what a consumer holds; one that is late must not end what comes afterwards."""
    hour = 3600
    stock.publish(replace(message("ahead", source="campaign"), queued_at=time.time() + hour))
    stock.add_waiting("c1", source="campaign")
    late = replace(message("late", source="campaign"), queued_at=time.time() - hour)
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_qos(prefetch_count=1)
        next(channel.consume(stock.names.lane("default"), inactivity_timeout=60))
        choice = PendingChoice(source="campaign")
        cleared = clearing(stock, parts).run(choice, on_progress=lambda _tally: stock.publish(late))
        assert (cleared.cleared_queued, cleared.cancelling) == (1, 1)
    assert [told.message_id for told in stock.events("outcome.cancelling")] == ["ahead"]


def test_an_undo_does_not_take_back_what_somebody_else_cancelled(stock, parts):
    stock.add_waiting("c1", source="campaign")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        next(channel.consume(stock.names.lane("default"), inactivity_timeout=60))
        cancel(stock.settings, "default", "c1", "cli:dewi")
        cleared = clear(stock, parts, source="campaign")
        assert (cleared.cleared_queued, cleared.cancelling) == (0, 0)
    parts.undo.run(cleared.undo_id, "cli:siti")
    assert stock.events("outcome.uncancelled") == []


def test_what_a_consumer_drops_in_the_moment_of_the_undo_is_put_back(stock, parts, monkeypatch):
    stock.add_waiting("c1", source="campaign")
    find, seen = parts.history.message, []
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        method, _, _ = next(channel.consume(stock.names.lane("default"), inactivity_timeout=60))
        cleared = clear(stock, parts, source="campaign")

        def drop(message_id):
            """Between the look at it and the word that it is not cancelled any more, the consumer drops it."""
            record = find(message_id)
            if not seen:
                event = Event("outcome.cancelled", time.time(), "default", message_id, source="a consumer")
                channel.basic_publish(stock.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
                channel.basic_ack(method.delivery_tag)
                seen.append(record.state)
            return record

        monkeypatch.setattr(parts.history, "message", drop)
        assert parts.undo.run(cleared.undo_id, "cli:siti") == 1
    assert seen == [MessageState.WAITING]
    assert [(one.message_id, one.generation) for one in stock.in_lane()] == [("c1", 1)]
    parts.catch_up()
    record = find("c1")
    assert (record.state, record.cancelling) == (MessageState.WAITING, False)


def test_a_quorum_lane_says_that_it_cannot_be_cleared_in_part(stock, parts):
    quorum = stock.make_lane_quorum()
    stock.add_waiting("m1")
    for act in (clearing(stock, parts, quorum).count, clearing(stock, parts, quorum).run):
        with pytest.raises(PartlyUnclearable, match="quorum queue"):
            act(PendingChoice(source="test"))
    with pytest.raises(PartlyUnclearable):
        Clearing(quorum, "default", "cli:ani").run(Scope.QUEUED, ClearFilter(source="test"))
    assert stock.count(stock.names.lane("default")) == 1


#: Messages of each source in the test of a killed clearing.
REST = 800

_CLEAR = """
from antrian.operations.lane.clear_filter import ClearFilter
from antrian.operations.lane.clearing import Clearing, Scope
from antrian.domain.settings import load_settings

Clearing(load_settings(), "default", "cli:ani").run(Scope.QUEUED, ClearFilter(source="campaign"))
"""


def clear_and_kill(stock, moment):
    """Begin to clear, and kill it so many seconds after it took the first."""
    home = {"AMQP_URL": stock.settings.amqp_urls[0], "ANTRIAN_HOME": str(stock.settings.antrian_home)}
    ours = home | {"WHATSAPP_QUEUE_NAMESPACE": stock.settings.whatsapp_queue_namespace}
    root = Path(__file__).parents[2]
    with stock.counting(stock.names.lane("default")) as count:
        before = count()
        process = AntrianProcess(["-c", _CLEAR], env=os.environ | ours, cwd=root)
        wait_until(lambda: count() < before or process.poll() is not None, 60, "it is under way", every=0.001)
        wait_until(elapsed(moment), 10, "the moment has come", every=0.001)
        process.kill()
    process.wait(60)
    wait_until(lambda: stock.count(stock.names.lane("default")) >= REST, 30, "what it held is back")


@pytest.mark.timeout(300)
def test_killed_in_the_middle_it_loses_nothing_doubles_nothing_and_is_undone(stock, parts):
    dice = random.Random(20261129)
    campaign, others = ([f"{name}{number}" for number in range(REST)] for name in ("c", "r"))
    for one, other in zip(batched(campaign), batched(others), strict=True):
        stock.add_waiting(*one, source="campaign")
        stock.add_waiting(*other)
    for _ in range(3):
        clear_and_kill(stock, dice.uniform(0, 0.1))
    clear(stock, parts, source="campaign")
    assert ids(stock.in_lane()) == others

    parts.catch_up()
    for removal in parts.history.removals():
        parts.undo.run(removal.undo_id, "cli:ani")
    back = Counter((one.message_id, one.generation) for one in stock.in_lane())
    assert back == Counter([(one, 1) for one in campaign] + [(one, 0) for one in others])


def batched(names, size=50):
    return [names[start : start + size] for start in range(0, len(names), size)]
