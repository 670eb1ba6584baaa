"""Promises 2 and 4: never closer than the delay, highest first."""

from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from lane_orders import pause

from waiting import wait_until


@pytest.mark.alone
def test_five_registrations_within_four_seconds_leave_one_delay_apart(consumer, publisher, arrivals):
    with_delay = 0.5
    consumer(WHATSAPP_QUEUE_DELAY=str(with_delay))
    for number in range(5):
        publisher.queue_message(f"08123456780{number}", f"payment link {number}", priority="high")

    assert arrivals.wait_for(5, 10) == [f"payment link {number}" for number in range(5)]
    assert min(arrivals.gaps()) >= with_delay
    assert median(arrivals.gaps()) <= with_delay * 1.5


@pytest.mark.alone
def test_over_many_sends_no_gap_is_shorter_and_the_usual_one_is_hardly_longer(consumer, publisher, arrivals):
    for number in range(31):
        publisher.queue_message("081234567890", f"text {number}")
    consumer(WHATSAPP_QUEUE_DELAY="0.3")

    assert arrivals.wait_for(31, 20) == [f"text {number}" for number in range(31)]
    gaps = arrivals.gaps()
    assert min(gaps) >= 0.3
    # The machine may be busy with other things; `bench pace` shows the tail beside a peer's.
    assert median(gaps) <= 0.4


@pytest.mark.alone
def test_jitter_only_ever_adds(consumer, publisher, arrivals):
    for number in range(12):
        publisher.queue_message("081234567890", f"text {number}")
    consumer(WHATSAPP_QUEUE_DELAY="0.2", WHATSAPP_QUEUE_JITTER="0.3")

    arrivals.wait_for(12, 20)
    gaps = arrivals.gaps()
    assert min(gaps) >= 0.2
    assert median(gaps) <= 0.2 + 0.3
    assert max(gaps) - min(gaps) > 0.05


def test_the_highest_priority_goes_first_and_within_one_the_oldest(consumer, publisher, arrivals):
    for text, priority in [("high 1", "high"), ("normal 1", "normal"), ("normal 2", "normal"), ("high 2", "high")]:
        publisher.queue_message("081234567890", text, priority=priority)
    publisher.queue_message("081234567890", "low", priority="low")
    consumer()

    assert arrivals.wait_for(5, 10) == ["high 1", "high 2", "normal 1", "normal 2", "low"]


def test_a_high_one_published_during_the_pause_goes_next(consumer, publisher, arrivals):
    consumer(WHATSAPP_QUEUE_DELAY="9")
    for number in range(3):
        publisher.queue_message("081234567890", f"normal {number}")
    arrivals.wait_for(1, 10)
    publisher.queue_message("081234567890", "high", priority="high")

    assert arrivals.wait_for(2, 15)[:2] == ["normal 0", "high"]


def test_a_retry_keeps_its_priority(consumer, lane, publisher, arrivals, records):
    consumer(WHATSAPP_QUEUE_DELAY="0.3", WHATSAPP_QUEUE_RETRY_DELAYS="7")
    publisher.queue_message("081234569003", "high, fails twice", priority="high")
    records.wait_for_event("outcome.retrying")
    # Nothing is sent until the retry is back, so that it meets the others, whenever that is.
    pause(lane, paused=True)
    for number in range(3):
        publisher.queue_message("081234567890", f"normal {number}")
    wait_until(lambda: records.waiting(records.names.lane("default")) == 4, 20, "the retry is back")
    pause(lane, paused=False)

    assert arrivals.wait_for(3, 15)[:3] == ["high, fails twice", "high, fails twice", "normal 0"]


def test_an_urgent_message_ends_the_pause_and_the_full_delay_follows_it(consumer, publisher, arrivals):
    consumer(WHATSAPP_QUEUE_DELAY="8")
    publisher.queue_message("081234567890", "normal 0")
    publisher.queue_message("081234567890", "normal 1")
    arrivals.wait_for(1, 10)
    outcome = publisher.send_message("081234567890", "one-time password")

    assert outcome.status == "sent"
    assert arrivals.wait_for(3, 15) == ["normal 0", "one-time password", "normal 1"]
    to_urgent, after_urgent = arrivals.gaps()
    assert to_urgent < 8 <= after_urgent


def test_a_scheduled_message_comes_at_its_time_and_not_before(consumer, publisher, arrivals):
    consumer()
    publisher.queue_message("081234567890", "now")
    due = datetime.now(UTC) + timedelta(seconds=3)
    publisher.queue_message("081234567890", "later", deliver_at=due)

    assert arrivals.wait_for(2, 10) == ["now", "later"]
    # The broker counts the time from when it has the message, in whole milliseconds.
    assert arrivals.times()[1] >= due.timestamp() - 0.05


def test_a_restart_in_the_pause_keeps_the_pace(consumer, publisher, arrivals):
    ours = consumer(WHATSAPP_QUEUE_DELAY="2")
    for number in range(3):
        publisher.queue_message("081234567890", f"text {number}")
    arrivals.wait_for(1, 10)
    assert ours.terminate() == 0
    ours.started()

    assert arrivals.wait_for(3, 15) == ["text 0", "text 1", "text 2"]
    assert min(arrivals.gaps()) >= 2
    wait_until(lambda: ours.log().count("message.sent") == 3, 5, "three sends are logged")
