"""Messages that a rule keeps back: real broker, real consumer processes, kills."""

import pytest

from waiting import wait_until

COLD = "+6281234567890"
KNOWN = "+6281299990000"


def test_first(consumer, publisher, arrivals, records):
    ids = [publisher.queue_message(f"0812345678{number:02}", f"text {number}").message_id for number in range(6)]
    consumer(WHATSAPP_QUEUE_DELAY="0.1", WHATSAPP_QUEUE_COLD_DAILY_CAP="2")
    records.wait_for_event("outcome.held", count=4)
    held = records.events("outcome.held")
    for event in held:
        print(event)
    for event in records.events("outcome.sending"):
        print(event)
    assert len(records.events("outcome.sent")) == 2
    assert ids
