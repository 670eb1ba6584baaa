"""The topology on a real broker: what `tests/unit` shows on paper."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import UnroutableError
from queue_fixture import Stock, message

from antrian.domain.delay_ladder import ladder_key
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.domain.message import Message, encode

#: How much later than asked a delayed message may come, in seconds; never earlier.
TOLERANCE = 0.3

#: A machine with other things to do may be late once; a wrong way through the ladder is late each time.
ROUNDS = 4


def publish(channel: BlockingChannel, exchange: str, key: str, one: Message) -> None:
    channel.basic_publish(exchange, key, *encode(one), mandatory=True)


def deliveries(channel: BlockingChannel, queue: str, patience: float = 60) -> Iterator[tuple[str, int, float]]:
    """Id, priority and time of arrival of whatever the queue delivers, one at a time."""
    channel.basic_qos(prefetch_count=1)
    for method, properties, _body in channel.consume(queue, inactivity_timeout=patience):
        assert method is not None, "nothing more is delivered"
        yield properties.message_id, properties.priority, time.time()
        channel.basic_ack(method.delivery_tag)


def journal(stock: Stock, stream: str) -> Counter[str]:
    """How often each message or event stands in a stream."""
    found: Counter[str] = Counter()
    for properties, body in stock.entries(stream):
        event = Event.decode(body)
        found[event.name if event else str(properties.message_id)] += 1
    return found


def test_a_delayed_message_comes_at_its_time_with_its_priority(stock: Stock, channel: BlockingChannel) -> None:
    arrived = deliveries(channel, stock.names.lane("default"))
    latest: dict[str, float] = {}
    for number in range(ROUNDS):
        if number == 0 or max(latest.values()) > TOLERANCE:
            for name, late in lateness(stock, channel, arrived).items():
                assert late >= 0
                latest[name] = min(late, latest.get(name, late))
    assert max(latest.values()) <= TOLERANCE


def lateness(stock: Stock, channel: BlockingChannel, arrived: Iterator[tuple[str, int, float]]) -> dict[str, float]:
    """Seconds after its time at which each of six messages came."""
    names, priorities = stock.names, {3: 9, 1: 1, 2: 10}
    began: dict[int, float] = {}
    for delay, priority in priorities.items():
        began[delay] = time.time()
        one = message(f"retry-{delay}", priority=priority)
        publish(channel, names.ladder_entrance(delay), ladder_key(delay, "default"), one)
        scheduled = message(f"scheduled-{delay}", priority=priority)
        publish(channel, names.scheduled, ladder_key(delay, "default"), scheduled)
    came = {name: (priority, at) for name, priority, at in (next(arrived) for _ in range(6))}
    for delay, priority in priorities.items():
        for name in (f"retry-{delay}", f"scheduled-{delay}"):
            assert came[name][0] == priority
    return {name: at - began[int(name[-1])] - int(name[-1]) for name, (_, at) in came.items()}


def test_a_message_that_comes_off_the_ladder_takes_its_place_by_priority(
    stock: Stock, channel: BlockingChannel
) -> None:
    names = stock.names
    publish(channel, names.messages, "default", message("first"))
    arrived = deliveries(channel, names.lane("default"))
    assert next(arrived)[0] == "first"
    publish(channel, names.delay(0), ladder_key(1, "default"), message("high", priority=9))
    stock.add_waiting("normal", "low", priority=5)
    stock.wait_for(names.lane("default"), 3)
    assert [next(arrived)[0] for _ in range(3)] == ["high", "normal", "low"]


def test_messages_for_unknown_lanes_come_back_and_leave_no_trace(stock: Stock, channel: BlockingChannel) -> None:
    names = stock.names
    for lane in ("misspelt", "Default", "default2", "0"):
        for exchange, key in ((names.messages, lane), (names.scheduled, ladder_key(60, lane))):
            with pytest.raises(UnroutableError):
                publish(channel, exchange, key, message("lost", lane=lane))
    # With something behind it, the end of the journal is seen at once.
    stock.add_waiting("known")
    assert journal(stock, names.journal) == {"known": 1}
    assert stock.delayed() == 0


def test_the_journal_has_each_message_and_event_once_and_the_outcomes_only_outcomes(
    stock: Stock, channel: BlockingChannel
) -> None:
    names = stock.names
    stock.add_waiting("a", "b", "c")
    stock.add_delayed("d")
    for name in ("outcome.sent", "lane.paused"):
        event = Event(name, time.time(), "default")
        channel.basic_publish(names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    everything = dict.fromkeys(("a", "b", "c", "d", "outcome.sent", "lane.paused"), 1)
    assert journal(stock, names.journal) == everything
    assert journal(stock, names.outcomes) == {"outcome.sent": 1}
    assert stock.count(names.lane("default")) == 3


def test_two_lanes_share_the_ladder_and_nothing_else(two_lanes: Stock) -> None:
    names = two_lanes.names
    two_lanes.add_delayed("for-default", seconds=1)
    two_lanes.add_delayed("for-other", seconds=1, lane="other")
    two_lanes.wait_for(names.lane("default"), 1)
    two_lanes.wait_for(names.lane("other"), 1)
    assert [one.message_id for one in two_lanes.in_lane("other")] == ["for-other"]


def test_a_dead_letter_is_in_its_queue_and_in_the_journal(stock: Stock) -> None:
    stock.add_dead("given-up")
    assert [one.message_id for one in stock.dead()] == ["given-up"]
    assert journal(stock, stock.names.journal) == {"given-up": 1}


def test_what_is_rejected_without_a_word_is_a_dead_letter_too(stock: Stock, channel: BlockingChannel) -> None:
    reject(stock, channel, "refused")
    assert [one.message_id for one in stock.dead()] == ["refused"]


@pytest.mark.xfail(reason="RabbitMQ 3.10 dead-letters into queues, but not into streams", strict=False)
def test_the_broker_itself_writes_its_dead_letters_into_the_journal(stock: Stock, channel: BlockingChannel) -> None:
    reject(stock, channel, "refused")
    # Once when it was published, once when it died.
    assert journal(stock, stock.names.journal) == {"refused": 2}


def reject(stock: Stock, channel: BlockingChannel, message_id: str) -> None:
    stock.add_waiting(message_id)
    method, _properties, _body = channel.basic_get(stock.names.lane("default"))
    assert method is not None
    channel.basic_reject(method.delivery_tag, requeue=False)
    stock.wait_for(stock.names.dead, 1)
