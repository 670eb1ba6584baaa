"""Messages that a rule keeps back: a real broker, real consumer processes, kill -9."""

import random
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from antrian.broker.topology import LADDER_LEVELS
from waiting import elapsed, wait_until

DELAY = 0.2
GAP = 2
COLD_CAP = 3
KILLS = 20
KNOWN = [f"+6281200010{number:02}" for number in range(8)]
STRANGERS = [f"+6281300020{number:02}" for number in range(12)]
LIMITS = {
    "WHATSAPP_QUEUE_DELAY": str(DELAY),
    "WHATSAPP_QUEUE_COLD_DAILY_CAP": str(COLD_CAP),
    "WHATSAPP_QUEUE_RECIPIENT_GAP": str(GAP),
    "WHATSAPP_QUEUE_MAX_ATTEMPTS": "50",
}


@pytest.fixture
def zone_at_noon():
    """A zone in which the day does not end while the test runs."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


@pytest.fixture
def held_ids(stock):
    """The messages on the delay ladder."""

    def ids() -> set[str]:
        queues = [stock.names.delay(level) for level in range(LADDER_LEVELS)]
        return {one.message_id for queue in queues for one in stock._messages(queue, "default")}

    return ids


@pytest.mark.timeout(900)
def test_twenty_kills_around_holds_lose_nothing_double_nothing_and_keep_every_cap(
    consumer, publisher, arrivals, records, cli, tmp_path, held_ids, zone_at_noon
):
    import_known(cli, tmp_path)
    ids = {}
    for turn in range(2):
        for number in STRANGERS[turn * 6 : turn * 6 + 6]:
            ids[publisher.queue_message(number, f"Welcome {number}").message_id] = number
        for number in KNOWN:
            ids[publisher.queue_message(number, f"Paid {number} {turn}").message_id] = number
    ours = consumer(**LIMITS, WHATSAPP_QUEUE_TIMEZONE=zone_at_noon)
    dice = random.Random(20261129)
    for _ in range(KILLS):
        wait_until(elapsed(dice.uniform(0, 4 * DELAY)), 10, "the moment has come", every=0.003)
        ours.kill()
        arrivals.settle()
        ours.started()

    known = {one for one, number in ids.items() if number in KNOWN}
    sent = lambda: {event.message_id for event in records.events("outcome.sent")}  # noqa: E731
    wait_until(lambda: known <= sent() | buried(records), 90, "all that may be sent is sent")
    ours.terminate()
    # Nothing is lost: what was not sent waits on the ladder.
    assert set(ids) - sent() - buried(records) <= held_ids()
    # The cap holds by what arrived, and by what began.
    begun = [event for event in records.events("outcome.sending") if event.details["cold"]]
    assert 1 <= len(begun) <= COLD_CAP
    texts = Counter(arrivals.texts())
    assert sum(count for text, count in texts.items() if text.startswith("Welcome")) <= COLD_CAP
    doubtful = {event.message_id for event in records.events("outcome.uncertain")}
    assert len([text for text, count in texts.items() if count > 1]) <= len(doubtful)
    assert min(arrivals.gaps()) >= DELAY
    for number in KNOWN:
        beginnings = [event.at for event in records.events("outcome.sending") if event.details["recipient"] == number]
        assert all(later - earlier >= GAP for earlier, later in pairwise(beginnings))


def test_caps_hold_across_a_fail_over_and_an_urgent_message_passes(
    consumer, publisher, arrivals, records, zone_at_noon
):
    limits = {
        "WHATSAPP_QUEUE_DELAY": str(DELAY),
        "WHATSAPP_QUEUE_DAILY_CAP": "3",
        "WHATSAPP_QUEUE_TIMEZONE": zone_at_noon,
    }
    active = consumer(**limits)
    standby = consumer(**limits)
    for number in range(5):
        publisher.queue_message(STRANGERS[number], f"text {number}")
    wait_until(lambda: len(arrivals.texts()) == 3, 30, "as many as may be have arrived")
    active.kill()
    publisher.queue_message(KNOWN[0], "urgent", priority="urgent")
    wait_until(lambda: "urgent" in arrivals.texts(), 30, "the urgent one has passed the cap")
    wait_until(lambda: "daily_cap" in standby.log(), 30, "the standby keeps the cap")
    wait_until(elapsed(5 * DELAY), 10, "others had the time to leave")
    assert len(arrivals.texts()) == 4
    assert records.events("outcome.sending")[-1].details["used"]["day"] == 4


def import_known(cli, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_text("phone_number\n" + "\n".join(KNOWN) + "\n")
    cli.say("contacts", "import", str(file))


def buried(records) -> set[str]:
    return {event.message_id for event in records.events("outcome.dead")}
