import re
from dataclasses import replace

import pytest
from factories import make_settings

from antrian.broker import topology_sync
from antrian.broker.topology import Exchange, Names, Queue, topology
from antrian.broker.topology_sync import SyncStatus
from antrian.domain.errors import BrokerRefused, TopologyConflict


def compared(channel, wanted):
    """One exchange or queue, as it differs from the broker's."""
    kind = "exchanges" if isinstance(wanted, Exchange) else "queues"
    nothing = replace(topology(make_settings()), exchanges=(), queues=(), bindings=())
    [difference] = topology_sync.plan(channel.connection, replace(nothing, **{kind: (wanted,)}))
    return difference


def test_on_an_empty_broker_everything_is_missing_and_planning_makes_nothing(channel, settings):
    for _ in range(2):
        found = topology_sync.plan(channel.connection, topology(settings))
        assert {one.status for one in found} == {SyncStatus.MISSING}


def test_applying_twice_finds_everything_as_it_should_be(channel, settings):
    topology_sync.apply(channel.connection, topology(settings))
    assert {one.status for one in topology_sync.apply(channel.connection, topology(settings))} == {SyncStatus.SAME}


@pytest.mark.parametrize(
    ("have", "want", "argument", "current", "wanted"),
    [
        ({}, {"x-max-priority": 10}, "x-max-priority", "none", "10"),
        ({"x-max-priority": 10}, {}, "x-max-priority", "10", "none"),
        ({"x-max-priority": 5}, {"x-max-priority": 10}, "x-max-priority", "5", "10"),
        ({"x-queue-type": "quorum"}, {"x-queue-type": "classic"}, "x-queue-type", "quorum", "classic"),
        ({}, {"x-single-active-consumer": True}, "x-single-active-consumer", "none", "true"),
        ({"x-dead-letter-exchange": "a"}, {"x-dead-letter-exchange": "b"}, "x-dead-letter-exchange", "a", "b"),
    ],
)
def test_a_changed_queue_argument_is_named_with_both_values(channel, namespace, have, want, argument, current, wanted):
    queue = Queue(f"{namespace}.queue", want)
    channel.queue_declare(queue.name, durable=True, arguments=have)
    difference = compared(channel, queue)
    assert (difference.status, difference.kind, difference.argument) == (SyncStatus.CHANGED, "queue", argument)
    assert current in difference.current
    assert wanted in difference.wanted
    assert f"`antrian topology apply --replace {queue.name}`" in difference.sentence()
    channel.queue_delete(queue.name)


def test_a_changed_stream_argument_is_named_and_a_policy_proposed(channel, namespace):
    stream = Queue(f"{namespace}.stream", {"x-queue-type": "stream", "x-max-age": "200s"})
    channel.queue_declare(stream.name, durable=True, arguments={"x-queue-type": "stream", "x-max-age": "100s"})
    difference = compared(channel, stream)
    assert (difference.kind, difference.argument) == ("stream", "x-max-age")
    # RabbitMQ 3.10 answers in our words, 4.3 in milliseconds.
    assert re.search(r"x-max-age is '100(s|000)' in the broker, and should be '200(s|000)'", difference.sentence())
    assert "set_policy" in difference.sentence()
    channel.queue_delete(stream.name)


def test_an_exchange_of_another_kind_is_named(channel, namespace):
    exchange = Exchange(f"{namespace}.exchange", "topic")
    channel.exchange_declare(exchange.name, "direct", durable=True)
    sentence = compared(channel, exchange).sentence()
    assert "type is 'direct' in the broker, and should be 'topic'" in sentence
    channel.exchange_delete(exchange.name)


def test_a_conflict_stops_applying_before_anything_is_made(channel, settings, namespace):
    channel.queue_declare(Names(namespace).dead, durable=True, arguments={"x-max-length": 7})
    with pytest.raises(TopologyConflict, match=r"x-max-length is .*7.* in the broker, and should be none"):
        topology_sync.apply(channel.connection, topology(settings))
    found = topology_sync.plan(channel.connection, topology(settings))
    assert [one.name for one in found if one.status is not SyncStatus.MISSING] == [Names(namespace).dead]


def test_a_broker_that_is_too_old_is_refused_with_the_reason(channel, settings):
    tomorrow = replace(topology(settings), oldest_broker=(99, 1))
    with pytest.raises(BrokerRefused, match=r"RabbitMQ 99\.1 or newer; this broker is \d"):
        topology_sync.plan(channel.connection, tomorrow)


def test_quorum_is_refused_by_a_broker_that_would_ignore_the_priorities(channel, settings):
    wanted = topology(settings.model_copy(update={"whatsapp_queue_type": "quorum"}))
    if broker_version(channel) >= (4, 3):
        topology_sync.apply(channel.connection, wanted)
    else:
        with pytest.raises(BrokerRefused, match=r"needs RabbitMQ 4\.3 or newer"):
            topology_sync.apply(channel.connection, wanted)


def broker_version(channel):
    major, minor, *_ = channel.connection._impl.server_properties["version"].split(".")
    return int(major), int(minor)
