"""Batches of events from an asyncio loop: confirmed, given back, or not taken at all."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

from declaration import declare
from queue_fixture import Stock

from antrian.broker.connection import connection_parameters, open_channel
from antrian.broker.event_log import PublishArguments, event_arguments
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.receipts.event_writer import EventWriter, Written
from waiting import wait_until


@contextmanager
def writing(settings: Settings) -> Iterator[EventWriter]:
    names = Names(settings.whatsapp_queue_namespace)
    writer = EventWriter(connection_parameters(settings.amqp_urls, name="test writer", heartbeat=30), names)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def batch(settings: Settings, *numbers: int) -> list[PublishArguments]:
    names = Names(settings.whatsapp_queue_namespace)
    events = (Event("receipt.status", time.time(), "default", details={"number": number}) for number in numbers)
    return [event_arguments(names, event)._replace(mandatory=True) for event in events]


def test_batches_of_many_requests_are_confirmed_each_as_a_whole(settings: Settings) -> None:
    stock = Stock(settings)

    async def crowd(writer: EventWriter) -> list[Written]:
        batches = [batch(settings, *range(start, start + 3)) for start in range(0, 3_000, 3)]
        return await asyncio.gather(*(writer.write(one, 60) for one in batches))

    with writing(settings) as writer:
        wait_until(lambda: not writer.trouble, 30, "it is connected")
        assert set(asyncio.run(crowd(writer))) == {Written.CONFIRMED}
        assert writer.pending == 0
        assert [event.details["number"] for event in stock.events("receipt.status")] == list(range(3_000))


def test_what_no_queue_takes_is_not_written_and_a_broker_that_takes_nothing_is_away(settings: Settings) -> None:
    stock = Stock(settings)
    names = stock.names
    with writing(settings) as writer:
        wait_until(lambda: not writer.trouble, 30, "it is connected")
        with open_channel(settings.amqp_urls, name="test") as channel:
            for queue, key in ((names.journal, "#"), (names.receipts, "receipt.#")):
                channel.queue_unbind(queue, names.events, key)
        assert asyncio.run(writer.write(batch(settings, 1), 60)) is Written.REFUSED
        writer._connection_blocked(None, SimpleNamespace(method=SimpleNamespace(reason="low on memory")))
        assert asyncio.run(writer.write(batch(settings, 1), 60)) is Written.AWAY
        assert "low on memory" in writer.trouble


def test_without_a_topology_it_says_what_to_do_and_goes_on_when_it_is_there(settings: Settings) -> None:
    with writing(settings) as writer:
        wait_until(lambda: "antrian topology apply" in writer.trouble, 30, "it says what is missing")
        assert asyncio.run(writer.write(batch(settings, 1), 60)) is Written.AWAY
        declare(settings)
        wait_until(lambda: not writer.trouble, 60, "it goes on")
        assert asyncio.run(writer.write(batch(settings, 1), 60)) is Written.CONFIRMED
