"""What a message waits for, as the API and the command line tell it: one hold for every message that waits."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from admin import AdminServer, Client
from cli import Cli
from factories import PHONE

from admin_api.auth.roles import Role
from antrian.broker.connection import open_channel
from antrian.broker.event_log import write_event
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from publisher import Publisher
from waiting import wait_until

Tell = Callable[..., None]


@pytest.fixture
def tell(lane: Settings) -> Tell:
    """Write an event as the lane's consumer does."""

    def write(name: str, message_id: str = "", **details: object) -> None:
        event = Event(f"outcome.{name}", time.time(), "default", message_id, 0, 1, "c1", details)
        with open_channel(lane.amqp_urls, name="test") as channel:
            write_event(channel, Names(lane.whatsapp_queue_namespace), event)

    return write


@pytest.fixture
def client(admin: AdminServer) -> Client:
    return admin.client(Role.ADMIN, "ani")


def test_what_is_held_is_told_everywhere_with_its_reason_its_end_and_its_rule(
    tell: Tell, client: Client, publisher: Publisher, cli: Cli
) -> None:
    cold, late, normal, urgent = (
        publisher.queue_message(PHONE, "Halo", priority=priority).message_id
        for priority in ("normal", "low", "normal", "urgent")
    )
    now = time.time()
    held = {"until": now + 3600, "due_at": now + 3601, "recipient": PHONE, "sender": "628114040707"}
    tell("held", cold, **held, reason="cold_cap", rule="cold_daily_cap 20", slot="2026-11-30")
    tell("held", late, **held, reason="window", rule="window low=08:00-20:00 Asia/Jakarta")
    used, caps = {"hour": 7, "day": 10, "cold": 2}, {"hour": 0, "day": 10, "cold": 20}
    tell("barrier", "mark", used=used, budget=caps, warm_up_day=None)
    wait_until(lambda: client.get("/holds")["budget"]["day"]["left"] == 0, 20, "the budget is told")

    told = client.get("/holds")
    assert (told["lane"], told["cold_held_until"]) == ("default", None)
    assert told["lane_hold"]["reason"] == "daily_cap"
    assert told["budget"]["day"] == {"used": 10, "cap": 10, "left": 0}
    assert told["budget"]["cold"] == {"used": 2, "cap": 20, "left": 18}
    assert told["budget"]["hour"] == {"used": 7, "cap": None, "left": None}
    resets_at = told["budget"]["resets_at"]
    assert now < resets_at <= now + 90_000
    reasons = {one["reason"]: one for one in told["reasons"]}
    assert {name: one["count"] for name, one in reasons.items()} == {
        "window": 1,
        "cold_cap": 1,
        "daily_cap": 1,
        "pace": 1,
    }
    assert reasons["cold_cap"]["next_release"] == now + 3601
    assert reasons["cold_cap"]["rule"] == "cold_daily_cap 20"
    assert reasons["daily_cap"]["next_release"] == resets_at

    messages = {one["message_id"]: one for one in client.get("/messages")["items"]}
    assert (messages[cold]["state"], messages[cold]["due_at"]) == ("held", now + 3601)
    assert messages[cold]["hold"]["reason"] == "cold_cap"
    assert messages[cold]["hold"]["until"] == pytest.approx(now + 3600, abs=0.001)
    assert {messages[one]["hold"]["reason"] for one in (late, normal, urgent)} == {"window", "daily_cap", "pace"}
    for message_id in messages:
        assert client.get(f"/messages/{message_id}")["hold"]["reason"] == messages[message_id]["hold"]["reason"]
    assert [one["message_id"] for one in client.get("/messages", q="state:held")["items"]] == [late, cold]
    assert [one["message_id"] for one in client.get("/messages", state="held")["items"]] == [late, cold]
    assert client.get("/waiting/counts")["total"] == 4

    status = client.get("/status")
    assert (status["held"], status["hold"]["reason"]) == (2, "daily_cap")
    assert [(one["priority"], one["hold"]["reason"]) for one in status["next_messages"]] == [
        ("urgent", "pace"),
        ("normal", "daily_cap"),
    ]
    assert 'antrian_waiting_messages{lane="default",reason="cold_cap"} 1.0' in client.ask("GET", "//metrics").text

    the_command_line_says_the_same(cli, cold, told, messages)

    tell("released", cold, reason="cold_cap", job_id="j1")
    tell("opted_out", late, purpose="marketing", detail="opted out of marketing")
    wait_until(lambda: client.get(f"/messages/{late}")["state"] == "opted_out", 20, "both are told")
    assert client.get(f"/messages/{late}")["hold"] is None
    assert client.get(f"/messages/{cold}")["state"] == "waiting"


def the_command_line_says_the_same(cli: Cli, cold: str, told: Any, messages: dict[str, Any]) -> None:
    [listed] = cli.json("holds", "list")["lanes"]
    assert (listed["lane"], listed["reasons"]) == ("default", told["reasons"])
    assert "cold_daily_cap 20" in cli.say("holds", "list", "--reason", "cold_cap")
    assert "Sent today: 10 of 10." in cli.say("holds", "list")
    assert cli.run("holds", "list", "--reason", "boredom").returncode == 2
    assert cli.json("history", cold)["hold"] == messages[cold]["hold"]
    why = " ".join(cli.say("history", cold).split())
    assert "Not sent yet: its recipient is a new contact" in why
    assert "(rule: cold_daily_cap 20)" in why
    seen = cli.json("status")
    assert (seen["held"], seen["hold"]["reason"], seen["next_send_reason"]) == (2, "daily_cap", "no-consumer")
    assert seen["scheduled"] == 0
