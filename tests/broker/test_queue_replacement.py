from dataclasses import replace

import pytest
from queue_fixture import Stock, ids

from antrian.broker import queue_replacement, topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.lane_state import read_state, write_state
from antrian.broker.topology import Queue, Topology, topology
from antrian.broker.topology_sync import SyncStatus
from antrian.domain.errors import TopologyConflict


def changed(stock: Stock, name: str, **arguments: int) -> tuple[Queue, Topology]:
    """One queue of the topology as it should be from now on, and the topology with it."""
    wanted = topology(stock.settings)
    [queue] = [one for one in wanted.queues if one.name == name]
    queue = replace(queue, arguments={**queue.arguments, **{f"x-{key}": value for key, value in arguments.items()}})
    queues = tuple(queue if one.name == name else one for one in wanted.queues)
    return queue, replace(wanted, queues=queues)


def test_an_empty_queue_is_made_anew_and_bound_again(stock, channel):
    queue, wanted = changed(stock, stock.names.lane("default"), expires=60_000)
    queue_replacement.replace(channel.connection, queue, wanted)
    assert {one.status for one in topology_sync.plan(channel.connection, wanted)} == {SyncStatus.SAME}
    stock.add_waiting("m1")
    assert ids(stock.in_lane()) == ["m1"]


def test_a_queue_that_holds_messages_is_left_as_it_is(stock, channel):
    stock.add_waiting("m1")
    queue, wanted = changed(stock, stock.names.lane("default"), expires=60_000)
    with pytest.raises(TopologyConflict, match="must be empty and without consumers"):
        queue_replacement.replace(channel.connection, queue, wanted)
    stock.add_waiting("m2")
    assert ids(stock.in_lane()) == ["m1", "m2"]


def test_a_queue_with_a_consumer_is_left_as_it_is(stock, channel):
    channel.basic_consume(stock.names.lane("default"), lambda *_: None)
    queue, wanted = changed(stock, stock.names.lane("default"), expires=60_000)
    with pytest.raises(TopologyConflict, match="must be empty and without consumers"):
        queue_replacement.replace(channel.connection, queue, wanted)


def test_a_refused_replacement_leaves_no_stand_in(stock, channel):
    stock.add_waiting("m1")
    queue, wanted = changed(stock, stock.names.lane("default"), expires=60_000)
    with pytest.raises(TopologyConflict):
        queue_replacement.replace(channel.connection, queue, wanted)
    assert not queue_replacement._exists(channel.connection, f"{queue.name}.replacing")


def test_what_arrived_in_the_stand_in_of_an_interrupted_replacement_is_not_lost(stock, channel):
    queue, wanted = changed(stock, stock.names.lane("default"), expires=60_000)
    stand_in = queue_replacement._StandIn(channel, queue, wanted)
    stand_in.begin()
    channel.queue_delete(queue.name)
    stock.add_waiting("urgent", priority=9)
    stock.add_waiting("calm", priority=1)

    stand_in.declare_queue()
    with pytest.raises(TopologyConflict):
        # It finishes what was begun; then the queue is no longer empty.
        queue_replacement.replace(channel.connection, queue, wanted)
    assert ids(stock.in_lane()) == ["urgent", "calm"]
    assert not queue_replacement._exists(channel.connection, stand_in.name)


def test_a_lanes_state_keeps_its_value(stock, channel):
    write_state(stock.settings.amqp_urls, stock.names, "default", paused=True, actor="ani")
    queue, wanted = changed(stock, stock.names.state("default"), expires=60_000)
    queue_replacement.replace(channel.connection, queue, wanted)
    assert read_state(channel, stock.names, "default").actor == "ani"


def test_a_state_that_cannot_be_replaced_keeps_its_value(stock, channel):
    write_state(stock.settings.amqp_urls, stock.names, "default", paused=True, actor="ani")
    queue, wanted = changed(stock, stock.names.state("default"), expires=60_000)
    with open_channel(stock.settings.amqp_urls, name="test") as other:
        other.basic_qos(prefetch_count=1)
        consumer = other.basic_consume(queue.name, lambda *_: None)
        with pytest.raises(TopologyConflict):
            queue_replacement.replace(channel.connection, queue, wanted)
        other.basic_cancel(consumer)
    assert read_state(channel, stock.names, "default").actor == "ani"


def test_a_stream_is_never_replaced(stock, channel):
    [journal] = [one for one in topology(stock.settings).queues if one.name == stock.names.journal]
    with pytest.raises(TopologyConflict, match="it holds the record"):
        queue_replacement.replace(channel.connection, journal, topology(stock.settings))
