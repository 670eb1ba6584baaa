"""Any publisher may ring; nobody may do more than ring that way."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.broker.topology import bell_key, topology
from antrian.broker.topology_sync import declare
from antrian.domain.control import Command, Control, encode_control
from antrian.domain.priority import Priority
from antrian.domain.settings import Settings
from antrian.providers.contract import Outgoing, Sent
from consumer.served_lanes import ServedLanes
from publisher import Publisher
from waiting import wait_until


class Phone:
    """A provider that takes everything."""

    name = "phone"

    def __init__(self) -> None:
        self.received: list[str] = []

    def send(self, outgoing: Outgoing) -> Sent:
        self.received.append(outgoing.message_id)
        return Sent()

    def close(self) -> None:
        pass


@pytest.fixture
def phone(stock: Stock) -> Iterator[Phone]:
    """What the lane's consumer sends to."""
    phone = Phone()
    settings = stock.settings
    lanes = ServedLanes(settings, settings.amqp_urls, settings.lanes, equip=lambda *_: (phone, []))
    thread = threading.Thread(target=lanes.run)
    thread.start()
    stock.add_waiting("first")
    wait_until(lambda: phone.received, 10, "the lane sends")
    yield phone
    lanes.stop()
    thread.join(60)


def ring(stock: Stock, command: Command, *, exchange: str) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.basic_publish(exchange, "", *encode_control(Control(command, "default", "a publisher", "m1")))


def test_a_publisher_cannot_pause_the_lane_with_the_bell(stock: Stock, phone: Phone) -> None:
    ring(stock, Command.PAUSE, exchange=stock.names.urgent)
    stock.add_waiting("second", "third")
    wait_until(lambda: phone.received == ["first", "second", "third"], 10, "the lane goes on")


def test_a_message_that_rings_commands_nothing_else(stock: Stock, phone: Phone) -> None:
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        body, properties = encode_control(Control(Command.PAUSE, "default", "a publisher", "m1"))
        properties.priority = Priority.URGENT
        channel.basic_publish(stock.names.messages, bell_key("default"), body, properties)
    stock.add_waiting("second", "third")
    wait_until(lambda: phone.received == ["first", "second", "third"], 10, "the lane goes on")
    assert len(stock.events("outcome.dead")) == 1


@pytest.mark.parametrize("later", [0, 1])
def test_an_urgent_message_needs_no_bell_to_be_accepted(settings: Settings, later: int) -> None:
    """As with a topology that an older version made."""
    whole = topology(settings)
    bindings = tuple(one for one in whole.bindings if not one.header and one.key != bell_key("default"))
    with open_channel(settings.amqp_urls, name="test") as channel:
        declare(channel, replace(whole, bindings=bindings))
    with Publisher(settings, confirm_timeout=60) as publisher:
        deliver_at = datetime.now(UTC) + timedelta(seconds=later) if later else None
        publisher.queue_message("081234567890", "text", priority="urgent", deliver_at=deliver_at)
    stock = Stock(settings)
    stock.wait_for(stock.names.lane("default"), 1)
    assert [one.priority for one in stock.in_lane()] == [Priority.URGENT]


def test_an_admin_can_pause_the_lane(stock: Stock, phone: Phone) -> None:
    ring(stock, Command.PAUSE, exchange=stock.names.control)
    stock.add_waiting("second")
    ring(stock, Command.RESUME, exchange=stock.names.control)
    wait_until(lambda: phone.received == ["first", "second"], 10, "the lane goes on")
