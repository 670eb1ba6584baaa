from itertools import count, pairwise

import pika
import pytest

from admin_api import sieve as sieve_module
from admin_api.parcel import Publication
from admin_api.sieve import Sieve
from broker.connection import open_channel
from broker.errors import BrokerUnavailable

BODIES = [f"m{number}".encode() for number in range(40)]


@pytest.fixture
def channel(settings):
    with open_channel(settings.amqp_urls, name="test") as ours:
        yield ours


@pytest.fixture
def queue(channel, namespace):
    name = f"{namespace}.sieve"
    channel.queue_declare(name, durable=True)
    for body in BODIES:
        channel.basic_publish("", name, body)
    yield name
    channel.queue_delete(name)


@pytest.fixture
def target(channel, namespace):
    name = f"{namespace}.target"
    channel.queue_declare(name, durable=True)
    yield name
    channel.queue_delete(name)


def contents(channel, queue):
    """Everything in the queue, in order; it is back there when the next question is asked."""
    with channel.connection.channel() as looking:
        found = []
        while (got := looking.basic_get(queue))[0] is not None:
            found.append(got[2])
        return found


def move_to(target, message_id="m"):
    return lambda found: [
        Publication("", target, found.body, pika.BasicProperties(message_id=message_id), mandatory=True)
    ]


def test_looking_takes_nothing_and_keeps_the_order(channel, settings, queue):
    seen = []
    tally = Sieve(settings.amqp_urls, [queue], lambda found: seen.append(found.body)).run()
    assert seen == BODIES
    assert (tally.seen, tally.taken) == (40, 0)
    assert contents(channel, queue) == BODIES


def test_what_is_taken_was_published_first_and_the_rest_keeps_its_place(channel, settings, queue, target, monkeypatch):
    monkeypatch.setattr(sieve_module, "LEFT_PER_CHANNEL", 7)  # so that several channels hold what is left
    move = move_to(target)
    tally = Sieve(settings.amqp_urls, [queue], lambda found: move(found) if found.body in BODIES[::3] else None).run()
    assert tally.taken == len(BODIES[::3])
    assert contents(channel, target) == BODIES[::3]
    assert contents(channel, queue) == [body for body in BODIES if body not in BODIES[::3]]


def test_what_the_broker_keeps_nowhere_stays(channel, settings, queue, namespace):
    tally = Sieve(settings.amqp_urls, [queue], move_to(f"{namespace}.nowhere")).run()
    assert (tally.taken, tally.refused) == (0, 40)
    assert contents(channel, queue) == BODIES


def test_only_what_was_there_at_the_start_is_looked_at(channel, settings, queue):
    # Each message comes back as a new one: without a frozen selection this would never end.
    tally = Sieve(settings.amqp_urls, [queue], move_to(queue)).run()
    assert tally.taken == 40
    assert contents(channel, queue) == BODIES


def test_enough_is_enough(channel, settings, queue, target):
    taken = count(1)
    tally = Sieve(settings.amqp_urls, [queue], move_to(target), is_enough=lambda: next(taken) > 5).run()
    assert tally.taken == len(contents(channel, target))
    assert 1 <= tally.taken <= 5
    assert contents(channel, queue) == BODIES[tally.taken :]


def test_a_rate_is_kept(settings, queue, target):
    moments = []
    enough = lambda: len(moments) >= 4  # noqa: E731 (shorter here)

    def decide(found):
        moments.append(sieve_module.time.monotonic())
        return move_to(target)(found)

    Sieve(settings.amqp_urls, [queue], decide, per_second=20, is_enough=enough).run()
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= 0.05


def test_an_error_in_between_leaves_everything_in_its_place(channel, settings, queue):
    def decide(found):
        if found.body == b"m7":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        Sieve(settings.amqp_urls, [queue], decide).run()
    assert contents(channel, queue) == BODIES


def test_a_missing_queue_is_said(settings, namespace):
    with pytest.raises(BrokerUnavailable, match="no queue"):
        Sieve(settings.amqp_urls, [f"{namespace}.missing"], lambda _found: None).run()


def test_a_missing_broker_is_said():
    with pytest.raises(BrokerUnavailable, match=r"no broker answers at 127.0.0.1:1"):
        Sieve(["amqp://127.0.0.1:1/"], ["queue"], lambda _found: None).run()
