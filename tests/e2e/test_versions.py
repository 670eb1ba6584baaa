"""Messages of versions that a consumer does not know yet, and of those that it will always know."""

import json
import sys
import time
from datetime import UTC, datetime

from pika import BasicProperties
from processes import ConsumerProcess

from antrian.broker.connection import open_channel
from antrian.domain.body import NEWEST_VERSION
from waiting import wait_until

#: The code of now, as if version 2 were still to come, and with waits that a test can wait for.
_OF_VERSION_1 = """
import importlib.util, re, sys
spec = importlib.util.find_spec("antrian.domain.body")
body = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
source = spec.loader.get_source(spec.name)
older = re.sub("NEWEST_VERSION = 1, [0-9]+", "NEWEST_VERSION = 1, 1", source)
assert older != source
exec(compile(older, spec.origin, "exec"), body.__dict__)
from consumer import set_aside
set_aside.FIRST_WAIT = set_aside.LONGEST_WAIT = 2.0
from antrian.cli.index import main
sys.argv = ["antrian", "consume"]
main()
"""

NEWER = json.dumps({"version": NEWEST_VERSION + 1, "to": {"email": "siti@example.com"}, "parts": ["a", "b"]}).encode()
OLD = b'{"version": 1, "phone_number": "081234567890", "message": "of version 1", "source": "shop"}'


class ConsumerOfVersion1(ConsumerProcess):
    command = (sys.executable, "-P", "-c", _OF_VERSION_1)


def publish(lane, message_id, body, *, priority=5):
    names = f"{lane.whatsapp_queue_namespace}.messages"
    with open_channel(lane.amqp_urls, name="test versions") as channel:
        channel.confirm_delivery()
        properties = BasicProperties(message_id=message_id, delivery_mode=2, priority=priority)
        channel.basic_publish(names, "default", body, properties, mandatory=True)


def test_a_newer_message_is_kept_and_told_and_those_behind_it_are_sent(
    consumer, lane, stock, publisher, arrivals, records, cli
):
    publish(lane, "newer", NEWER, priority=9)
    publish(lane, "old", OLD)
    publisher.queue_message("081234567890", "with a purpose", purpose="payment", correlation_id="order-4711")
    ours = consumer()

    assert arrivals.wait_for(2, 10)
    assert set(arrivals.texts()) == {"of version 1", "with a purpose"}
    [told] = records.wait_for_event("outcome.postponed")
    assert (told.message_id, told.attempt, told.details["version"]) == ("newer", 0, NEWEST_VERSION + 1)
    assert told.details["due_at"] > told.at + 30
    sent = records.wait_for_event("outcome.sent", count=2)
    assert {event.details.get("correlation_id") for event in sent} == {None, "order-4711"}
    # It is on the ladder as it came, and nowhere else.
    wait_until(lambda: stock.delayed() == 1, 10, "it waits")
    assert records.waiting(records.names.dead) == 0
    assert "message.needs_newer_consumer" in ours.log()
    status = cli.json("status")
    assert status["needs_newer_consumer"] == 1
    assert status["scheduled"] == 1


def test_a_killed_consumer_leaves_a_newer_message_where_one_that_can_read_it_finds_it(consumer, lane, stock, records):
    publish(lane, "newer", NEWER)
    first = consumer()
    records.wait_for_event("outcome.postponed")
    first.kill()
    consumer()
    wait_until(lambda: stock.delayed() + stock.count(stock.names.lane("default")) == 1, 10, "it is there once")
    assert records.waiting(records.names.dead) == 0


def test_a_body_that_asks_for_a_later_time_is_sent_then_at_its_first_attempt(consumer, lane, arrivals, records):
    consumer()
    due = time.time() + 6
    deliver_at = datetime.fromtimestamp(due, UTC).isoformat()
    publish(lane, "later", json.dumps(json.loads(OLD) | {"version": 2, "deliver_at": deliver_at}).encode())

    [told] = records.wait_for_event("outcome.postponed")
    assert told.details["reason"] == "deliver-at"
    arrivals.wait_for(1, 20)
    assert arrivals.times()[0] >= due - 1
    [sent] = records.wait_for_event("outcome.sent")
    assert sent.attempt == 1


def test_what_an_older_consumer_has_set_aside_the_newer_one_sends(lane, stock, publisher, arrivals, records, tmp_path):
    publisher.queue_message("081234567890", "of version 2", purpose="payment", correlation_id="order-4711")
    publisher.queue_message("081234567890", "of version 1")
    with ConsumerOfVersion1(lane, tmp_path / "older.log"):
        assert arrivals.wait_for(1, 10) == ["of version 1"]
        # It may be back, and set aside once more.
        [first, *_] = records.wait_for_event("outcome.postponed")
        assert first.details["version"] == 2
    with ConsumerProcess(lane, tmp_path / "newer.log"):
        assert arrivals.wait_for(2, 20) == ["of version 1", "of version 2"]
        sent = records.wait_for_event("outcome.sent", count=2)[1]
        wait_until(lambda: stock.delayed() + stock.count(stock.names.lane("default")) == 0, 20, "nothing is left")
    assert (sent.message_id, sent.attempt, sent.generation) == (first.message_id, 1, 0)
    assert sent.details["correlation_id"] == "order-4711"
    assert arrivals.texts() == ["of version 1", "of version 2"]
    assert records.waiting(records.names.dead) == 0
