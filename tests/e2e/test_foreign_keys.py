"""Routing keys that are no text: any program may publish with any bytes."""

import pika
import pytest
from factories import PHONE

from admin_api.auth.roles import Role
from antrian.broker.connection import open_channel
from antrian.domain.delay_ladder import LADDER_LEVELS
from antrian.domain.message import encode, new_message
from waiting import wait_until


class Raw(str):
    """What pika writes as these bytes."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return self.replace("\N{REPLACEMENT CHARACTER}", "?").encode("latin-1")


RAW = Raw("\xff\xfe")
LADDER = Raw("0." * LADDER_LEVELS + "\xff.default")


def publish(settings, exchange: str, key: str, message_id: str, body: bytes | None = None) -> None:
    message = new_message(PHONE, message_id, source="test", now=1.7e9, message_id=message_id)
    good, properties = encode(message)
    with open_channel(settings.amqp_urls, name="test") as channel:
        channel.basic_publish(exchange, key, good if body is None else body, properties, mandatory=True)


def test_a_key_that_is_no_text_neither_stops_the_lane_nor_the_history(lane, consumer, arrivals, records, admin):
    names = records.names
    try:
        publish(lane, names.lane("default"), RAW, "raw")
        publish(lane, names.scheduled, LADDER, "ladder")
    except pika.exceptions.UnroutableError as error:
        pytest.fail(f"the test's own publish went nowhere: {error}")
    publish(lane, names.lane("default"), RAW, "broken", body=b"{oops")
    publish(lane, names.messages, "default", "good")
    ours = consumer(WHATSAPP_QUEUE_DELAY="0.1")
    assert sorted(arrivals.wait_for(3, 20)) == ["good", "ladder", "raw"]
    records.wait_for_dead_letters(1)
    assert ours.terminate() == 0

    client = admin.ready().client(Role.ADMIN)
    for message_id in ("good", "ladder"):
        wait_until(lambda one=message_id: client.get(f"/messages/{one}")["state"] == "sent", 10, "the history has it")
    wait_until(lambda: client.get("/failed")["total"] == 1, 10, "the history has the broken one, too")
