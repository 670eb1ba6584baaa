"""A registration wave of strangers on a number that WhatsApp suspects: they wait, payments to known people flow."""

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import requests
from arrivals import Arrivals
from cli import Cli
from processes import ConsumerProcess
from records import Records

from antrian.sandbox.server import SandboxServer
from publisher import Publisher
from waiting import wait_until

DELAY = 0.5
CAP = 4
KNOWN = [f"+62812000100{number}" for number in range(4)]
STRANGERS = [f"+6281300020{number:02}" for number in range(12)]


def set_mode(sandbox: SandboxServer, mode: str) -> None:
    requests.post(f"{sandbox.url}/_sandbox/mode", json={"mode": mode}, timeout=60).raise_for_status()


def test_a_wave_of_strangers_is_held_and_payments_flow(
    sandbox: SandboxServer,
    arrivals: Arrivals,
    publisher: Publisher,
    consumer: Callable[..., ConsumerProcess],
    cli: Cli,
    records: Records,
    tmp_path: Path,
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("phone_number\n" + "\n".join(KNOWN) + "\n")
    cli.say("contacts", "import", str(file))
    for number in KNOWN:
        requests.post(f"{sandbox.url}/_sandbox/inbound", json={"number": number, "text": "Halo"}, timeout=60)
    set_mode(sandbox, "cold-refused")
    limits = {"WHATSAPP_QUEUE_DELAY": str(DELAY), "WHATSAPP_QUEUE_COLD_DAILY_CAP": str(CAP)}
    active = consumer(**limits)
    standby = consumer(**limits)

    # The wave, and payments of the same priority behind it.
    for number in STRANGERS:
        publisher.queue_message(number, f"Welcome {number}")
    for number in KNOWN[:2]:
        publisher.queue_message(number, f"Paid {number}")
    wait_until(lambda: len(sent_texts(arrivals)) == 2, 60, "the payments have arrived")
    held = records.wait_for_event("outcome.held", 60, count=len(STRANGERS))
    assert {event.details["reason"] for event in held} == {"cold_held"}
    refused = [text for text in arrivals.texts() if text.startswith("Welcome")]
    assert len(refused) == 1, "one stranger was refused, and no other was tried"
    assert all(event.details["until"] > time.time() + 3600 for event in held)
    assert held_by_reason(cli) == {"cold_held": len(STRANGERS)}

    # The hold outlives both consumers.
    active.kill()
    publisher.queue_message(KNOWN[2], "Paid 3")
    publisher.queue_message("+6281300029999", "Welcome, late")
    wait_until(lambda: "Paid 3" in sent_texts(arrivals), 60, "the standby goes on")
    # A kill between the provider's answer and its record would leave an attempt in doubt, which is made again.
    records.wait_for_event("outcome.sent", 60, count=3)
    standby.kill()
    active.started()
    publisher.queue_message(KNOWN[3], "Paid 4")
    wait_until(lambda: "Paid 4" in sent_texts(arrivals), 60, "the one that was started again goes on")
    records.wait_for_event("outcome.held", 60, count=len(STRANGERS) + 1)
    assert [text for text in arrivals.texts() if text.startswith("Welcome")] == refused

    # It ends: the wave leaves at pace, and under the cap.
    set_mode(sandbox, "ok")
    cli.say("holds", "release", "--reason", "cold_held", "--yes")
    wait_until(lambda: len(welcomes(arrivals)) == CAP, 60, "as many strangers as the cap allows were written to")
    others = {"cold_cap": len(STRANGERS) + 1 - CAP}
    wait_until(lambda: held_by_reason(cli) == others, 60, "the others wait for their day", every=1)
    active.kill()
    arrivals.settle()
    assert len(welcomes(arrivals)) == CAP
    texts = sent_texts(arrivals)
    assert len(set(texts)) == len(texts), "nothing was sent twice"
    assert all(later - earlier >= DELAY for earlier, later in pairwise(arrivals.times()))


def sent_texts(arrivals: Arrivals) -> list[str]:
    """What the provider took."""
    return [arrival.submission.message for arrival in arrivals.all() if arrival.answered == "sent"]


def welcomes(arrivals: Arrivals) -> list[str]:
    return [text for text in sent_texts(arrivals) if text.startswith("Welcome")]


def held_by_reason(cli: Cli) -> dict[str, int]:
    (lane,) = cli.json("holds", "list")["lanes"]
    return {row["reason"]: row["count"] for row in lane["reasons"] if row["count"]}
