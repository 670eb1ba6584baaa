"""Promise 5 and the retry policy, as a real consumer carries them out."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from pika import BasicProperties
from processes import ConsumerProcess
from tcp_proxy import proxy_before

from antrian.broker.connection import open_channel
from antrian.domain.message import encode, new_message
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import wait_until


def failures_of(letter):
    return letter[0].headers["antrian-failures"]


def test_what_fails_every_time_is_tried_three_times_at_the_right_times_and_then_dead_once(
    consumer, publisher, arrivals, records
):
    consumer(WHATSAPP_QUEUE_RETRY_DELAYS="1,2")
    receipt = publisher.queue_message("081234569002", "fails every time", priority="high")

    [letter] = records.wait_for_dead_letters(1)
    first, second = arrivals.gaps()
    assert first >= 1
    assert second >= 2
    # What is told lies between what a busy machine cannot make earlier and what it cannot make later.
    for event, arrived_at, delay in zip(records.events("outcome.retrying"), arrivals.times(), (1, 2), strict=False):
        assert arrived_at + delay - 0.01 <= event.details["due_at"] <= event.at + delay
    assert len(records.events("outcome.retrying")) == 2
    properties, _body = letter
    assert properties.message_id == receipt.message_id
    assert properties.priority == 9
    assert [failure["attempt"] for failure in failures_of(letter)] == [1, 2, 3]
    assert {failure["class"] for failure in failures_of(letter)} == {"transient"}
    wait_until(lambda: records.events("outcome.dead"), 5, "its end is recorded")
    wait_until(lambda: records.waiting(records.names.dead) == 1, 5, "there is one dead letter")


def test_what_can_never_be_sent_is_dead_after_one_attempt(consumer, publisher, arrivals, records):
    consumer()
    publisher.queue_message("081234569001", "not on WhatsApp")

    [letter] = records.wait_for_dead_letters(1)
    assert len(arrivals.texts()) == 1
    assert [failure["code"] for failure in failures_of(letter)] == ["not-on-whatsapp"]


def test_what_fails_twice_is_sent_at_the_third_attempt(consumer, publisher, arrivals, records):
    consumer(WHATSAPP_QUEUE_RETRY_DELAYS="1")
    publisher.queue_message("081234569003", "fails twice")

    [event] = records.wait_for_event("outcome.sent")
    assert event.attempt == 3
    assert len(arrivals.texts()) == 3
    assert records.waiting(records.names.dead) == 0


def test_a_provider_that_is_down_costs_no_message_no_attempt_and_no_order(
    consumer, publisher, sandbox, arrivals, records
):
    sandbox.record.mode = Mode(ModeName.DOWN)
    for number in range(20):
        publisher.queue_message("081234567890", f"text {number}")
    consumer(WHATSAPP_QUEUE_DELAY="0.1")
    wait_until(lambda: len(records.events("outcome.failed")) >= 3, 15, "three probes have failed")
    sandbox.record.mode = Mode(ModeName.OK)

    [*sent] = records.wait_for_event("outcome.sent", 20, count=20)
    assert [arrival.submission.message for arrival in arrivals.all() if arrival.answered == "sent"] == [
        f"text {number}" for number in range(20)
    ]
    assert {event.attempt for event in sent} == {1}
    assert records.waiting(records.names.dead) == 0
    assert min(arrivals.gaps()) >= 0.1


def test_while_the_provider_is_down_a_high_one_takes_the_first_place(consumer, lane, publisher, sandbox, arrivals):
    sandbox.record.mode = Mode(ModeName.DOWN)
    publisher.queue_message("081234567890", "normal")
    consumer()
    arrivals.wait_for(1, 10)
    publisher.queue_message("081234567890", "high", priority="high")
    probes = len(arrivals.texts())
    # The next probe may have been chosen before; the one after it is not.
    wait_until(
        lambda: "high" in arrivals.texts() or len(arrivals.texts()) >= probes + 2, 15, "a probe is chosen among both"
    )
    sandbox.record.mode = Mode(ModeName.OK)

    def sent():
        return [arrival.submission.message for arrival in arrivals.all() if arrival.answered == "sent"]

    wait_until(lambda: len(sent()) == 2, 15, "both are sent")
    # A quorum queue puts what was given back before everything else, whatever its priority.
    is_quorum = lane.whatsapp_queue_type == "quorum"
    assert sent() == (["normal", "high"] if is_quorum else ["high", "normal"])


def test_a_wrong_key_holds_the_lane_and_loses_nothing(consumer, publisher, sandbox, arrivals, records):
    sandbox.record.mode = Mode(ModeName.UNAUTHORIZED)
    publisher.queue_message("081234567890", "text")
    consumer()
    arrivals.wait_for(2, 10)
    sandbox.record.mode = Mode(ModeName.OK)

    records.wait_for_event("outcome.sent")
    assert records.waiting(records.names.dead) == 0


def test_a_throttled_lane_waits_as_long_as_the_provider_asks(consumer, publisher, sandbox, arrivals, records):
    sandbox.record.mode = Mode(ModeName.OK, seconds=2)
    publisher.queue_message("081234569004", "throttled once")
    publisher.queue_message("081234567890", "behind it")
    consumer()

    assert arrivals.wait_for(3, 15) == ["throttled once", "throttled once", "behind it"]
    assert arrivals.gaps()[0] >= 2
    assert {event.attempt for event in records.wait_for_event("outcome.sent", count=2)} == {1}


@pytest.mark.parametrize(("choice", "sends", "dead"), [("resend", 3, 1), ("dead-letter", 1, 1)])
def test_a_dropped_answer_is_uncertain_and_the_setting_decides(
    consumer, publisher, arrivals, records, choice, sends, dead
):
    consumer(WHATSAPP_QUEUE_ON_UNCERTAIN=choice, WHATSAPP_QUEUE_RETRY_DELAYS="1")
    publisher.queue_message("081234569007", "the answer is dropped")

    letters = records.wait_for_dead_letters(dead)
    assert len(arrivals.texts()) == sends
    assert {failure["class"] for failure in failures_of(letters[0])} == {"uncertain"}


GARBAGE = {
    "not-json": b"hello",
    "bad-utf8": b'{"message": "\xff\xfe"}',
    "too-large": b"x" * 5_000_000,
    "unknown-version": b'{"version": "one", "phone_number": "081234567890", "message": "x", "source": "s"}',
    "missing-number": b'{"version": 1, "message": "x", "source": "s"}',
    "wrong-types": b'{"version": 1, "phone_number": ["0812"], "message": {}, "source": 7}',
    "empty": b"",
    "not-an-object": b"[1, 2, 3]",
}


def test_garbage_is_dead_with_its_reason_and_the_lane_goes_on_at_once(consumer, lane, publisher, arrivals, records):
    with open_channel(lane.amqp_urls, name="test garbage") as channel:
        for name, body in GARBAGE.items():
            properties = BasicProperties(message_id=name, delivery_mode=2, priority=9)
            channel.basic_publish(records.names.messages, "default", body, properties, mandatory=True)
    publisher.queue_message("081234567890", "a good one")
    # A pause for each of them would be noticed.
    consumer(WHATSAPP_QUEUE_DELAY="600")

    arrivals.wait_for(1, 10)
    letters = records.wait_for_dead_letters(len(GARBAGE))
    codes = {properties.message_id: properties.headers["antrian-failures"][0]["code"] for properties, _ in letters}
    assert set(codes) == set(GARBAGE)
    assert all(codes[name] == name for name in ("not-json", "bad-utf8", "too-large", "unknown-version"))
    assert all(properties.headers["antrian-failures"][0]["detail"] for properties, _ in letters)
    assert {properties.message_id: body for properties, body in letters} == GARBAGE


def test_headers_that_cannot_be_decoded_do_not_stop_the_lane(consumer, lane, publisher, arrivals, monkeypatch):
    # What a Java service writes: a header of type timestamp that counts milliseconds.
    body = b'{"version": 1, "phone_number": "081234567890", "message": "from Java", "source": "java"}'
    headers = {"x-created": datetime.now(UTC)}
    with open_channel(lane.amqp_urls, name="test Java") as channel:
        monkeypatch.setattr("pika.data.calendar.timegm", lambda _time: 1_700_000_000_000)
        properties = BasicProperties(message_id="java", delivery_mode=2, headers=headers)
        channel.basic_publish(f"{lane.whatsapp_queue_namespace}.messages", "default", body, properties, mandatory=True)
    publisher.queue_message("081234567890", "behind it")
    consumer()

    assert arrivals.wait_for(2, 10) == ["behind it", "from Java"]


def test_an_expired_message_is_not_sent_and_does_not_cost_a_pause(consumer, lane, publisher, arrivals, records):
    # Not by the publisher: it refuses what would expire, and so would have to be quick.
    over = datetime.now(UTC) - timedelta(seconds=1)
    about = {"source": "test", "now": time.time() - 60, "expires_at": over, "priority": "high", "message_id": "late"}
    late = new_message("+6281234567890", "too late", **about)
    body, properties = encode(late)
    with open_channel(lane.amqp_urls, name="test") as channel:
        channel.basic_publish(records.names.messages, "default", body, properties, mandatory=True)
    publisher.queue_message("081234567890", "good for ever")
    consumer(WHATSAPP_QUEUE_DELAY="600")

    assert arrivals.wait_for(1, 10) == ["good for ever"]
    [event] = records.wait_for_event("outcome.expired")
    assert event.message_id == "late"


def test_one_key_is_sent_once(consumer, publisher, arrivals, records):
    consumer()
    publisher.queue_message("081234567890", "invoice 17", idempotency_key="invoice-17")
    second = publisher.queue_message("081234567890", "invoice 17", idempotency_key="invoice-17")
    publisher.queue_message("081234567890", "invoice 18", idempotency_key="invoice-18")

    assert arrivals.wait_for(2, 10) == ["invoice 17", "invoice 18"]
    [event] = records.wait_for_event("outcome.duplicate")
    assert event.message_id == second.message_id


def test_one_message_id_published_twice_is_sent_once(consumer, publisher, arrivals):
    consumer()
    for _ in range(2):
        publisher.queue_message("081234567890", "once", message_id="11111111-1111-4111-8111-111111111111")
    publisher.queue_message("081234567890", "last", priority="low")

    assert arrivals.wait_for(2, 10) == ["once", "last"]


def test_a_key_is_free_again_after_its_message_came_to_nothing(consumer, publisher, arrivals, records):
    consumer()
    publisher.queue_message("081234569001", "wrong number", idempotency_key="invoice-19")
    records.wait_for_dead_letters(1)
    publisher.queue_message("081234567890", "right number", idempotency_key="invoice-19")

    assert arrivals.wait_for(2, 10) == ["wrong number", "right number"]


def test_a_slow_answer_does_not_cost_the_connection(consumer, publisher, sandbox, arrivals, records):
    # The broker gives up after two or three missed heartbeats; a process that stands still for 3 s misses but one.
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=11)
    ours = consumer(WHATSAPP_QUEUE_HEARTBEAT="3")
    publisher.queue_message("081234567890", "slow")

    [event] = records.wait_for_event("outcome.sent", 20)
    assert event.attempt == 1
    assert len(arrivals.texts()) == 1
    assert "broker.gone" not in ours.log()


def test_a_consumer_that_starts_before_its_broker_waits_for_it(broker_url, lane, tmp_path, publisher, arrivals):
    publisher.queue_message("081234567890", "text")
    with proxy_before(broker_url) as wire:
        wire.shut()
        ours = ConsumerProcess(lane, tmp_path / "consumer.log", AMQP_URL=wire.through(broker_url)).start()
        try:
            wait_until(lambda: "broker.gone" in ours.log(), 10, "the consumer says that there is no broker")
            wire.open()
            assert arrivals.wait_for(1, 20) == ["text"]
        finally:
            ours.kill()
