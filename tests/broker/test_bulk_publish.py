import pika
import pytest

from antrian.broker.queue_scan.bulk_publish import BulkPublish
from antrian.broker.queue_scan.pipelined_operation import WINDOW
from antrian.broker.queue_scan.publication import Publication


@pytest.fixture
def target(channel, namespace):
    name = f"{namespace}.target"
    channel.queue_declare(name, durable=True)
    yield name
    channel.queue_delete(name)


def parcel(target, *bodies):
    return [
        Publication("", target, body, pika.BasicProperties(message_id=body.decode()), mandatory=True) for body in bodies
    ]


def contents(channel, queue):
    found = []
    while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
        found.append(got[2])
    return found


def test_everything_is_published_in_order(settings, channel, target):
    expected = [f"m{number}".encode() for number in range(2 * WINDOW)]
    tally = BulkPublish(settings.amqp_urls, (parcel(target, body) for body in expected)).run()
    assert (tally.taken, tally.refused) == (len(expected), 0)
    assert contents(channel, target) == expected


def test_a_step_that_the_broker_keeps_nowhere_ends_its_parcel_alone(settings, channel, target, namespace):
    lost = [*parcel(f"{namespace}.nowhere", b"lost"), *parcel(target, b"never")]
    tally = BulkPublish(settings.amqp_urls, [parcel(target, b"m1"), lost, parcel(target, b"m2")]).run()
    assert (tally.taken, tally.refused) == (2, 1)
    assert contents(channel, target) == [b"m1", b"m2"]


def test_after_a_wait_everything_before_it_is_settled(settings, target):
    settled = []

    def parcels():
        for number in range(50):
            yield parcel(target, f"m{number}".encode())
        yield None
        settled.append(shipment.tally.taken)
        yield parcel(target, b"last")

    shipment = BulkPublish(settings.amqp_urls, parcels())
    assert shipment.run().taken == 51
    assert settled == [50]


def test_an_error_of_whoever_makes_the_parcels_comes_out(settings, target):
    def parcels():
        yield parcel(target, b"m1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        BulkPublish(settings.amqp_urls, parcels()).run()


def test_without_parcels_nothing_happens(settings):
    assert BulkPublish(settings.amqp_urls, []).run().taken == 0
