"""What an admin can tell a running consumer."""

import json

from lane_orders import force, pause

from antrian.broker.connection import open_channel
from antrian.broker.lane_state import read_state, send_control
from antrian.domain.control import Command, Control
from antrian.domain.events import EVENT_PROPERTIES, Event
from antrian.operations.lane.control import set_paused
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import elapsed, wait_until


def test_a_pause_stops_before_the_next_send_and_resume_goes_on(consumer, lane, publisher, arrivals, records):
    # More than can be sent before the pause is heard of, however late that is.
    texts = [f"text {number}" for number in range(20)]
    for text in texts:
        publisher.queue_message("081234567890", text)
    ours = consumer(WHATSAPP_QUEUE_DELAY="1")
    arrivals.wait_for(1, 10)
    pause(lane, paused=True)
    wait_until(lambda: '"reason": "paused"' in ours.log(), 10, "the consumer says why it waits")
    sent = len(arrivals.texts())
    # Nothing is held while the lane is paused: all that is not sent waits in the queue.
    left = len(texts) - sent
    wait_until(lambda: records.waiting(records.names.lane("default")) == left, 5, "all others wait in the queue")
    wait_until(elapsed(1.5), 5, "a pause between two sends would be over")
    assert len(arrivals.texts()) == sent
    pause(lane, paused=False)

    seen = arrivals.wait_for(sent + 2, 15)
    assert seen == texts[: len(seen)]
    assert min(arrivals.gaps()) >= 1
    assert ours.terminate() == 0


def test_a_pause_survives_the_consumer(consumer, lane, publisher, arrivals):
    pause(lane, paused=True)
    ours = consumer()
    publisher.queue_message("081234567890", "text")
    wait_until(lambda: '"reason": "paused"' in ours.log(), 5, "the consumer says why it waits")
    ours.kill()
    ours.started()
    assert arrivals.texts() == []
    pause(lane, paused=False)

    assert arrivals.wait_for(1, 5) == ["text"]


def test_a_pause_that_is_ordered_again_is_obeyed_again(consumer, lane, publisher, arrivals, records):
    """A consumer may have missed it, and whoever sees that says it once more."""
    set_paused(lane, "default", "test", paused=True)
    ours = consumer()
    wait_until(lambda: '"reason": "paused"' in ours.log(), 10, "the consumer says why it waits")
    send_control(lane.amqp_urls, records.names, Control(Command.RESUME, "default", "test"))
    publisher.queue_message("081234567890", "text")
    arrivals.wait_for(1, 10)

    assert not set_paused(lane, "default", "test", paused=True).changed
    wait_until(lambda: ours.log().count('"reason": "paused"') == 2, 10, "it waits again")


def test_the_state_says_who_and_since_when_and_reading_does_not_take_it_away(lane, records):
    pause(lane, paused=True)
    for _ in range(3):
        with open_channel(lane.amqp_urls, name="test admin") as channel:
            state = read_state(channel, records.names, "default")
        assert (state.paused, state.actor) == (True, "test")
        assert state.since > 0


def test_force_ends_the_present_pause_once(consumer, lane, publisher, arrivals):
    ours = consumer(WHATSAPP_QUEUE_DELAY="600")
    for number in range(3):
        publisher.queue_message("081234567890", f"text {number}")
    # A force ends a pause that has begun; one that comes before has nothing to end.
    wait_until(lambda: "message.sent" in ours.log(), 10, "the first is sent")
    force(lane)

    arrivals.wait_for(2, 10)
    wait_until(lambda: ours.log().count("message.sent") == 2, 10, "the second is sent")
    wait_until(elapsed(1), 5, "a third would have followed")
    assert arrivals.texts() == ["text 0", "text 1"]


def test_force_ends_the_wait_for_a_provider_that_is_back(consumer, lane, publisher, sandbox, records):
    sandbox.record.mode = Mode(ModeName.THROTTLE, seconds=600)
    publisher.queue_message("081234567890", "text")
    ours = consumer()
    wait_until(lambda: '"reason": "throttled"' in ours.log(), 10, "the lane waits for the provider")
    sandbox.record.mode = Mode(ModeName.OK)
    force(lane)

    records.wait_for_event("outcome.sent", 5)


def test_a_cancelled_message_is_not_sent(consumer, lane, publisher, arrivals, records):
    receipt = publisher.queue_message("081234567890", "cancelled")
    publisher.queue_message("081234567890", "sent")
    event = Event("outcome.cancelling", receipt.queued_at, "default", receipt.message_id, source="test")
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        channel.basic_publish(records.names.events, event.routing_key, event.encode(), EVENT_PROPERTIES)
    consumer()

    assert arrivals.wait_for(1, 10) == ["sent"]
    [cancelled] = records.wait_for_event("outcome.cancelled")
    assert cancelled.message_id == receipt.message_id


def test_words_that_are_no_command_are_ignored(consumer, lane, publisher, arrivals, records):
    consumer()
    with open_channel(lane.amqp_urls, name="test admin") as channel:
        for body in (b"", b"garbage", b"[]", json.dumps({"command": "explode", "lane": "*"}).encode()):
            channel.basic_publish(records.names.control, "", body)
            channel.basic_publish(records.names.events, "outcome.sent.default.x", body)
    publisher.queue_message("081234567890", "text")

    assert arrivals.wait_for(1, 10) == ["text"]
