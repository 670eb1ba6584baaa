"""Promises 1, 2 and 3 under kill -9."""

import random

import pytest

from antrian.broker.connection import open_channel
from antrian.sandbox.behaviour import Mode, ModeName
from waiting import elapsed, wait_until

DELAY = 0.4


def second_sends(arrivals):
    texts = arrivals.texts()
    return {text for text in texts if texts.count(text) > 1}


@pytest.mark.timeout(900)
def test_twenty_kills_at_random_moments_lose_nothing_double_nothing_and_keep_the_gap(
    consumer, publisher, arrivals, records
):
    dice = random.Random(20260101)
    ids = {}
    for number in range(40):
        text = f"text {number}"
        ids[publisher.queue_message("081234567890", text).message_id] = text
    ours = consumer(WHATSAPP_QUEUE_DELAY=str(DELAY))
    for _ in range(20):
        moment = dice.uniform(0, 2.5 * DELAY)
        # Kill at a moment that has nothing to do with the tick's own rhythm.
        wait_until(elapsed(moment), 10, "the moment has come", every=0.003)
        ours.kill()
        arrivals.settle()
        ours.started()

    def ended():
        return {event.message_id for event in records.events() if event.name in {"outcome.sent", "outcome.dead"}}

    wait_until(lambda: ended() == set(ids), 60, "all have come to their end")
    # Three kills in the middle of one message's sends give it up: where sends are slow, the dice may fall so, even
    # before the provider has seen it.
    dead = records.events("outcome.dead")
    assert {event.details["reason"] for event in dead} <= {"poison"}
    given_up = {event.message_id for event in dead}
    # Killed between a dead letter and its record, the consumer puts it there again.
    assert {properties.message_id for properties, _ in records.dead_letters()} == given_up
    assert set(arrivals.texts()) | {ids[one] for one in given_up} == set(ids.values())
    assert second_sends(arrivals) <= {ids[event.message_id] for event in records.events("outcome.uncertain")}
    assert min(arrivals.gaps()) >= DELAY


def test_a_kill_in_the_pause_never_sends_again(consumer, publisher, arrivals, records):
    ours = consumer(WHATSAPP_QUEUE_DELAY="1")
    publisher.queue_message("081234567890", "first")
    records.wait_for_event("outcome.sent")
    ours.kill()
    # Only now: with the pause over, the kill would come in the middle of its send.
    publisher.queue_message("081234567890", "second")
    ours.started()

    assert arrivals.wait_for(2, 10) == ["first", "second"]
    records.wait_for_event("outcome.sent", count=2)
    assert arrivals.texts() == ["first", "second"]
    assert arrivals.gaps()[0] >= 1


def test_a_kill_in_the_middle_of_a_send_is_marked_uncertain(consumer, publisher, sandbox, arrivals, records):
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=30)
    ours = consumer(WHATSAPP_QUEUE_DELAY="1")
    publisher.queue_message("081234567890", "slow")
    arrivals.wait_for(1, 10)
    ours.kill()
    sandbox.record.mode = Mode(ModeName.OK)
    ours.started()

    [event] = records.wait_for_event("outcome.sent")
    assert event.attempt == 2
    assert len(records.events("outcome.uncertain")) == 1
    assert arrivals.gaps()[0] >= 1


def test_with_dead_letter_chosen_a_kill_in_the_middle_of_a_send_sends_no_second_time(
    consumer, publisher, sandbox, arrivals, records
):
    sandbox.record.mode = Mode(ModeName.SLOW, seconds=30)
    ours = consumer(WHATSAPP_QUEUE_ON_UNCERTAIN="dead-letter")
    publisher.queue_message("081234567890", "slow")
    arrivals.wait_for(1, 10)
    ours.kill()
    ours.started()

    [(properties, _body)] = records.wait_for_dead_letters(1)
    assert properties.headers["antrian-failures"][0]["code"] == "crash"
    assert len(arrivals.texts()) == 1


def test_a_message_whose_sending_crashes_the_consumer_three_times_is_poison(consumer, publisher, arrivals, records):
    ours = consumer(WHATSAPP_QUEUE_MAX_ATTEMPTS="9")
    publisher.queue_message("081234569006", "never answered", priority="high")
    publisher.queue_message("081234567890", "behind it")
    for crash in range(3):
        arrivals.wait_for(crash + 1, 15)
        ours.kill()
        ours.start()

    records.wait_for_dead_letters(1)
    [event] = records.wait_for_event("outcome.dead")
    assert event.details["reason"] == "poison"
    assert arrivals.wait_for(4, 10)[-1] == "behind it"


@pytest.mark.parametrize("moment", ["in the pause", "in a send"])
def test_the_standby_goes_on_with_the_gap_kept(consumer, publisher, arrivals, records, sandbox, moment):
    if moment == "in a send":
        sandbox.record.mode = Mode(ModeName.SLOW, seconds=30)
    settings = {"WHATSAPP_QUEUE_DELAY": "3", "WHATSAPP_QUEUE_HEARTBEAT": "60"}
    active = consumer(**settings)
    publisher.queue_message("081234567890", "first")
    arrivals.wait_for(1, 10)
    # Only now: whoever subscribes first is the active one, and both would be about to.
    standby = consumer(**settings)
    if moment == "in the pause":
        records.wait_for_event("outcome.sent")
    # The first is answered as it was to be when it came.
    sandbox.record.mode = Mode(ModeName.OK)
    killed_at = sandbox.record.now()
    active.kill()
    publisher.queue_message("081234567890", "second")

    wait_until(lambda: "second" in arrivals.texts(), 15, "the second has arrived")
    assert min(arrivals.gaps()) >= 3
    assert second_sends(arrivals) == ({"first"} if moment == "in a send" else set())
    # The broker tells a killed consumer by its closed connection; a missed heartbeat would take two minutes.
    assert arrivals.times()[1] - killed_at <= 60
    wait_until(lambda: "message.sent" in standby.log(), 5, "the standby logs its send")


def test_a_deleted_queue_is_made_again_and_served(consumer, lane, publisher, arrivals, records):
    ours = consumer()
    for queue in (records.names.lane("default"), records.names.outcomes):
        seen = ours.log().count("lane.ready")
        with open_channel(lane.amqp_urls, name="test vandal") as channel:
            channel.queue_delete(queue)
        wait_until(lambda seen=seen: ours.log().count("lane.ready") > seen, 15, "the consumer is ready again")
        publisher.queue_message("081234567890", queue)

    assert arrivals.wait_for(2, 10) == [records.names.lane("default"), records.names.outcomes]


@pytest.mark.parametrize("state", ["idle", "in the pause", "in a send", "paused provider"])
def test_sigterm_ends_it_properly_in_every_state(consumer, publisher, sandbox, arrivals, records, state):
    ours = consumer(WHATSAPP_QUEUE_DELAY="120")
    if state == "in a send":
        sandbox.record.mode = Mode(ModeName.SLOW, seconds=2)
    if state == "paused provider":
        sandbox.record.mode = Mode(ModeName.DOWN)
    if state != "idle":
        publisher.queue_message("081234567890", "first")
        publisher.queue_message("081234567890", "second")
        arrivals.wait_for(1, 10)
    if state == "in the pause":
        records.wait_for_event("outcome.sent")
    if state == "paused provider":
        records.wait_for_event("outcome.failed")
    # Neither the pause nor the end of its patience (45 s) is waited for.
    assert ours.terminate(timeout=40) == 0

    left = {"idle": 0, "in the pause": 1, "in a send": 1, "paused provider": 2}[state]
    wait_until(lambda: records.waiting(records.names.lane("default")) == left, 5, f"{left} are left in the queue")
    assert len(arrivals.texts()) == (0 if state == "idle" else 1)
    if state == "in a send":
        assert len(records.events("outcome.sent")) == 1
