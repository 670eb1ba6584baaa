"""What an admin does is done, although connections break at the worst moment: the proxy cuts them at a publish."""

import pytest
from dead_letter_service import running
from pydantic import SecretStr
from queue_fixture import Stock, ids
from tcp_proxy import proxy_before

from antrian.broker.broken_connection import TRIES
from antrian.broker.connection import bind_own_queue, open_channel
from antrian.broker.event_log import publish_all, write_events
from antrian.domain.errors import ConnectionBroke
from antrian.domain.events import Event
from antrian.history.records import DeadFilter
from antrian.operations.dead_letters.dead_letters import DeadLetters
from antrian.operations.lane.clearing import Clearing, Scope
from antrian.operations.lane.control import set_paused
from antrian.operations.lane.release import Release
from antrian.operations.lane.release_filter import ReleaseFilter

EVERYTHING = DeadFilter()

at_either_moment = pytest.mark.parametrize("confirmed", [False, True], ids=["before", "after"])


@pytest.fixture
def settings(settings):
    """Lanes whose messages can be taken out one by one."""
    return settings.model_copy(update={"whatsapp_queue_type": "classic"})


@pytest.fixture
def proxy(stock):
    with proxy_before(stock.settings.amqp_urls[0]) as ours:
        yield ours


@pytest.fixture
def fragile(stock, proxy):
    """The same queues, by way of the proxy."""
    url = SecretStr(proxy.through(stock.settings.amqp_urls[0]))
    return Stock(stock.settings.model_copy(update={"amqp_url": url}), is_declared=True)


@at_either_moment
def test_every_event_is_written_and_in_order(stock, fragile, proxy, confirmed):
    written = [Event("lane.cleared", float(number), "default", f"m{number}", source="cli:ani") for number in range(5)]
    proxy.cut_at(b'"message_id":"m2"', confirmed=confirmed)
    write_events(fragile.settings.amqp_urls, stock.names, written, name="test")
    assert not proxy.cuts_left
    assert [event.message_id for event in stock.events("lane.cleared")] == [
        *("m0", "m1", "m2"),
        *(("m2",) if confirmed else ()),
        *("m3", "m4"),
    ]


def test_a_connection_that_breaks_every_time_is_an_error(fragile, proxy):
    proxy.cut_at(b"wa-words", times=TRIES + 1)
    with pytest.raises(ConnectionBroke):
        publish_all(fragile.settings.amqp_urls, [("", "nowhere", b"wa-words", None)], name="test")
    assert proxy.cuts_left == 1


def test_a_queue_of_a_connections_own_is_unbound_before_it_ends(stock, fragile, proxy):
    """So that others' publishes do not find it gone, which is what ends their connections."""
    with open_channel(fragile.settings.amqp_urls, name="test") as channel:
        queue = bind_own_queue(channel, stock.names.events, "lane.#")
        stock.tell("lane.noted", "m1")
        assert next(channel.consume(queue, inactivity_timeout=60))[0] is not None
        proxy.cut_at(queue.encode())
    assert not proxy.cuts_left


def test_a_repeated_event_is_one_in_the_history(stock, fragile, proxy):
    stock.add_waiting("m1")
    with running(stock) as parts:
        events = [Event(name, 1.0, "default", "m1", source="cli:ani") for name in ("outcome.cancelling", "job.x")]
        for event in events:
            proxy.cut_at(event.name.encode() + b'"', confirmed=True)
            write_events(fragile.settings.amqp_urls, stock.names, [event], name="test")
            assert len(stock.events(event.name)) == 2
        parts.catch_up()
        assert [entry.name for entry in parts.history.life("m1")] == ["message.queued", "outcome.cancelling", "job.x"]
        assert len(parts.history.events(("job.",)).items) == 1


@at_either_moment
def test_a_lane_is_cleared(stock, fragile, proxy, confirmed):
    stock.add_waiting(*(f"m{number}" for number in range(20)))
    stock.add_delayed("late")
    clearing = Clearing(fragile.settings, "default", "cli:ani")
    proxy.cut_at(b'"message_id":"m11"', confirmed=confirmed)
    cleared = clearing.run(Scope.QUEUED)
    assert not proxy.cuts_left
    assert (cleared.cleared_queued, stock.in_lane(), stock.delayed()) == (21, [], 0)
    assert len({event.message_id for event in stock.events("outcome.cleared")}) == 21


@at_either_moment
def test_held_messages_are_released(stock, fragile, proxy, confirmed):
    expected = [f"m{number}" for number in range(20)]
    stock.add_held(*expected)
    proxy.cut_at(b'"message_id":"m11"', confirmed=confirmed)
    release = Release(fragile.settings, ReleaseFilter.of("default"), "cli:ani", "job")
    tally = release.run()
    assert not proxy.cuts_left
    assert (tally.taken, release.found, stock.delayed()) == (20, 20, 0)
    # What was under way may be there twice: the same copy, so it is sent once.
    assert set(ids(stock.in_lane())) == set(expected)


@at_either_moment
def test_a_clearing_is_put_on_record(stock, fragile, proxy, confirmed):
    stock.add_waiting("m1")
    proxy.cut_at(b'"name":"lane.cleared"', confirmed=confirmed)
    cleared = Clearing(fragile.settings, "default", "cli:ani").run(Scope.QUEUED)
    assert not proxy.cuts_left
    with running(stock) as parts:
        parts.catch_up()
        assert parts.history.removal(cleared.undo_id).count == 1


@at_either_moment
def test_dead_letters_are_purged_and_the_purge_undone(stock, fragile, proxy, confirmed):
    expected = [f"m{number}" for number in range(20)]
    stock.add_dead(*expected)
    with running(fragile) as parts:
        proxy.cut_at(b'"message_id":"m11"', confirmed=confirmed)
        purged = parts.dead_letters.purge(EVERYTHING, "api:ops")
        assert not proxy.cuts_left
        assert (purged.purged, stock.dead()) == (20, [])
        proxy.cut_at(b'"name":"outcome.restored"', confirmed=confirmed)
        assert parts.undo.run(purged.undo_id, "api:ops") == 20
        assert not proxy.cuts_left
    # A copy that the history did not know of yet may be there twice: of the same generation, so it is sent once.
    assert set(ids(stock.dead())) == set(expected)


@at_either_moment
def test_a_frozen_selection_is_put_back_whole(stock, fragile, proxy, confirmed):
    """All of it is found long before the connection breaks: what was under way then is found once more."""
    expected = [f"m{number}" for number in range(700)]
    stock.add_dead(*expected)
    proxy.cut_at(b'"message_id":"m650"', confirmed=confirmed)
    letters = DeadLetters(fragile.settings)
    report = letters.redrive({(one, 1) for one in expected}, "api:ops")
    assert not proxy.cuts_left
    assert (report.selected, report.done, len(report.found), len(report.put)) == (700, 700, 700, 700)
    assert (set(ids(stock.in_lane())), stock.dead()) == (set(expected), [])


@at_either_moment
def test_a_lane_is_paused(stock, fragile, proxy, confirmed):
    proxy.cut_at(b'"name":"lane.paused"', confirmed=confirmed)
    answer = set_paused(fragile.settings, "default", "cli:ani", paused=True)
    assert not proxy.cuts_left
    assert (answer.paused, answer.changed, answer.actor) == (True, True, "cli:ani")
    assert len(stock.events("lane.paused")) == 1 + confirmed
