"""The forecast of the end against what happens, with real processes; and that everyone who asks is told the same."""

import random
import time
from typing import Any

import pytest
import requests

from admin_api.auth.roles import Role
from waiting import wait_until

DELAY = 0.4

#: What `slow` and `Retry-After` take: beside the delay of 0.4 s as much as 37 s beside the usual 10 s.
SECONDS = 1.5

#: Sixty messages by the last digits of their numbers: fine, slow, failing twice, failing each time, throttled, refused.
MIX = {"7890": 43, "9005": 3, "9003": 4, "9002": 3, "9004": 3, "9001": 4}

OUTCOMES = ("outcome.sent", "outcome.failed")


def numbers(share: float, chance: random.Random) -> list[str]:
    """Recipients, no two alike: the sandbox counts the attempts of each."""
    endings = [ending for ending, count in MIX.items() for _ in range(max(1, round(count * share)))]
    chance.shuffle(endings)
    return [f"08{chance.randrange(10**5):05d}{ending}".replace("08", "0812", 1) for ending in endings]


def drain(publisher, records, recipients, ask=lambda: None) -> float:
    """Publish, ask each second until everything is sent or given up; when that was."""
    before = len(records.events("outcome.sent")) + len(records.events("outcome.dead"))
    for _ in publisher.queue_messages([{"phone_number": number, "message": "Halo"} for number in recipients]):
        pass
    asked_at = 0.0

    def is_over() -> bool:
        nonlocal asked_at
        if time.monotonic() - asked_at >= 1:
            asked_at = time.monotonic()
            ask()
        ends = records.events("outcome.sent") + records.events("outcome.dead")
        return len(ends) - before >= len(recipients)

    wait_until(is_over, 90, "all are sent or given up", every=0.2)
    return max(event.at for event in records.events() if event.name in OUTCOMES)


@pytest.mark.alone
def test_the_end_of_sixty_mixed_messages_is_foretold(sandbox, consumer, admin, publisher, records):
    chance = random.Random(60)
    requests.post(
        f"{sandbox.url}/_sandbox/mode", json={"mode": "ok", "seconds": SECONDS}, timeout=10
    ).raise_for_status()
    consumer(WHATSAPP_QUEUE_DELAY=str(DELAY), WHATSAPP_QUEUE_RETRY_DELAYS="1,2")
    client = admin.client(Role.VIEWER)
    # What a lane does depends on who it writes to: some of the same kind are its recent history.
    drain(publisher, records, numbers(0.4, chance))
    told: list[tuple[float, float | None]] = []

    def ask() -> None:
        status = client.get("/status")
        told.append((status["at"], status["estimated_time"]))

    end = drain(publisher, records, numbers(1, chance), ask)
    before = [(at, forecast, end - at) for at, forecast in told if at < end]
    good = [forecast is not None and abs(forecast - truth) <= 0.2 * truth + DELAY for _, forecast, truth in before]
    print(f"{sum(good)} of {len(good)} asks; the run took {end - told[0][0]:.1f} s")  # noqa: T201 (for `pytest -s`)
    assert len(good) >= 20
    assert sum(good) / len(good) >= 0.8, before


def test_page_and_command_line_tell_the_same_whatever_their_own_delay_is(cli, consumer, admin, publisher):
    consumer(WHATSAPP_QUEUE_DELAY="30", WHATSAPP_QUEUE_JITTER="4")
    client = admin.client(Role.VIEWER)
    for number in range(20):
        publisher.queue_message("081234567890", f"text {number}")
    wait_until(lambda: client.get("/status")["next_send_reason"] == "pause", 10, "the first is sent")
    page = client.get("/status")
    command = cli.json("status", WHATSAPP_QUEUE_DELAY="0.5")
    assert (command["delay"], command["jitter"]) == (page["delay"], page["jitter"]) == (30, 4)
    assert page["estimated_time"] == pytest.approx(18 * 32 + page["next_send_in"], abs=19 * page["mean_attempt"] + 1)
    passed = command["at"] - page["at"]
    assert command["estimated_time"] == pytest.approx(page["estimated_time"] - passed, abs=1)


def test_while_it_is_paused_the_time_after_a_resume_is_told(consumer, admin, publisher):
    consumer(WHATSAPP_QUEUE_DELAY="600")
    client = admin.client(Role.OPERATOR)
    for number in range(3):
        publisher.queue_message("081234567890", f"text {number}")
    wait_until(lambda: client.get("/status")["next_send_reason"] == "pause", 10, "the first is sent")
    client.post("/pause")
    paused = client.get("/status")
    assert (paused["estimated_time"], paused["next_send_reason"]) == (None, "paused")
    assert 600 < paused["estimate_after_resume"] < 1210
    assert [one["eta_seconds"] for one in paused["next_messages"]] == [None, None]
    assert 0 < paused["pause_left"] <= 600


def test_the_status_says_what_is_sent_what_comes_back_and_through_whom(sandbox, consumer, admin, publisher):
    requests.post(f"{sandbox.url}/_sandbox/mode", json={"mode": "slow", "seconds": 20}, timeout=10).raise_for_status()
    consumer(WHATSAPP_QUEUE_DELAY="0", WHATSAPP_QUEUE_RETRY_DELAYS="300")
    client, viewer = admin.client(Role.OPERATOR), admin.client(Role.VIEWER)
    publisher.queue_message("081234567890", "text", priority="high")
    sending = wait_until(lambda: _known(client.get("/status")["sending"]), 10, "it is being sent")
    assert (sending["phone_number"], sending["priority"], sending["priority_level"]) == ("+6281234567890", "high", 9)
    assert sending["source"] == "test"
    assert sending["since"] < sending["deadline"] <= sending["since"] + 120
    masked = viewer.get("/status")
    assert "81234567890" not in str(masked)
    assert (masked["is_sandbox"], masked["provider"], masked["consumers"], masked["standby"]) == (
        True,
        "sandbox",
        1,
        False,
    )
    requests.post(f"{sandbox.url}/_sandbox/mode", json={"mode": "ok"}, timeout=10).raise_for_status()
    failing = publisher.queue_message("081234569002", "text", priority="low").message_id
    retry = wait_until(lambda: next(iter(client.get("/status")["retries"]), None), 60, "it comes back later")
    assert (retry["message_id"], retry["priority"], retry["attempt"]) == (failing, "low", 2)
    assert retry["due_at"] > time.time()


def _known(sending):
    return sending if sending and sending["phone_number"] else None


def test_a_consumer_that_dies_in_its_pause_makes_no_difference_of_one(consumer, admin, publisher):
    running = consumer(WHATSAPP_QUEUE_DELAY="600")
    client = admin.client(Role.VIEWER)
    for number in range(3):
        publisher.queue_message("081234567890", f"text {number}")
    wait_until(lambda: client.get("/status")["next_send_reason"] == "pause", 10, "the first is sent")
    running.kill()

    def without_consumer() -> dict[str, Any] | None:
        # The broker may give back what a consumer held before it counts one less.
        found = client.get("/status")
        return found if (found["waiting"], found["next_send_reason"]) == (3, "no-consumer") else None

    gone = wait_until(without_consumer, 20, "what it held is back, and the consumer is missed")
    assert gone["history"]["differences"] == {"waiting": 0, "failed": 0}
    assert gone["history"]["differs_since"] is None
