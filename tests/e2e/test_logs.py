"""What our processes write while they live: JSON, findable by message and trace, nothing personal."""

import json
import subprocess
from pathlib import Path
from typing import Any

import requests
from cli import Cli
from factories import PHONE
from processes import ANTRIAN, environment

from admin_api.auth.roles import Role
from waiting import wait_until

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"

#: Digits of every number used here, the texts, the keys, and a token's beginning.
SECRETS = (PHONE[3:], "6281234569001", "6281234569003", "1234569", "rahasia", "invoice", "Bearer")


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_a_whole_life_leaves_json_lines_without_anything_personal(lane, admin, consumer, publisher, records):
    cli = Cli(lane)
    sender = consumer(WHATSAPP_QUEUE_RETRY_DELAYS="1")
    sent = publisher.queue_message(PHONE, "rahasia", idempotency_key="invoice-1", traceparent=TRACEPARENT)
    twice = publisher.queue_message(PHONE, "rahasia", idempotency_key="invoice-1")
    dead = publisher.queue_message("+6281234569001", "rahasia", traceparent=TRACEPARENT, tracestate="vendor=1")
    retried = publisher.queue_message("+6281234569003", "rahasia", traceparent=TRACEPARENT)
    records.wait_for_event("outcome.sent", 30, count=2)
    records.wait_for_event("outcome.duplicate")
    records.wait_for_dead_letters(1)
    service = admin.client(Role.PUBLISHER)
    for body in ({"phone_number": PHONE, "message": "rahasia"}, {"phone_number": "0812", "message": "rahasia"}):
        service.ask("POST", "//messages", json=body)
    requests.post(f"{admin.url}/messages", json={"phone_number": PHONE}, timeout=60)
    operator = admin.client(Role.OPERATOR)
    wait_until(lambda: operator.ask("GET", f"/failed/{dead.message_id}").ok, 10, "the letter is in the history")
    operator.get("/messages", phone_number=PHONE, text="rahasia")
    assert operator.ask("POST", f"/failed/{dead.message_id}/redrive").status_code in {200, 202}
    records.wait_for_event("outcome.dead", 20, count=2)
    cli.say("pause")
    wait_until(lambda: "control.received" in sender.log(), 10, "the consumer heard it")
    assert sender.terminate() == 0
    assert admin.terminate() == 0

    written = lines(sender.log()) + lines(admin.log())
    for line in written:
        assert {"event", "level", "timestamp"} <= line.keys(), line
        assert " " not in line["event"], line
    text = sender.log() + admin.log()
    assert not [secret for secret in SECRETS if secret in text]

    about = [line for line in written if line["event"].startswith("message.")]
    assert all(line["message_id"] for line in about)
    told = {(line["event"], line["message_id"]) for line in about}
    assert {
        ("message.sent", sent.message_id),
        ("message.dropped", twice.message_id),
        ("message.dead", dead.message_id),
        ("message.failed", retried.message_id),
        ("message.sent", retried.message_id),
    } <= told
    traced = {line["message_id"] for line in about if line.get("trace_id") == TRACE}
    assert traced == {sent.message_id, dead.message_id, retried.message_id}

    events = [event for event in records.events() if event.message_id in {dead.message_id, retried.message_id}]
    ours = [event for event in events if event.name != "outcome.redriven"]
    assert {event.details.get("trace_id") for event in ours} == {TRACE}
    assert {"outcome.sending", "outcome.failed", "outcome.retrying", "outcome.dead"} <= {event.name for event in ours}
    [(properties, _), *_] = records.dead_letters()
    assert (properties.headers["traceparent"], properties.headers["tracestate"]) == (TRACEPARENT, "vendor=1")


def test_the_trace_is_part_of_a_messages_history(admin, consumer, publisher):
    consumer()
    receipt = publisher.queue_message(PHONE, "text", traceparent=TRACEPARENT)
    viewer = admin.client(Role.VIEWER)

    def life() -> list[dict[str, Any]]:
        answer = viewer.ask("GET", f"/messages/{receipt.message_id}")
        entries = answer.json()["life"] if answer.ok else []
        return entries if any(entry["name"] == "outcome.sent" for entry in entries) else []

    entries = wait_until(life, 15, "the history has its life")
    traces = {entry["details"].get("trace_id") for entry in entries if entry["name"].startswith("outcome.")}
    assert traces == {TRACE}


def test_a_line_of_the_pretty_form_is_for_people(consumer):
    ours = consumer(ANTRIAN_LOG_FORMAT="pretty")
    assert "lane.ready" in ours.log()
    assert not any(line.startswith("{") for line in ours.log().splitlines())


def test_a_request_over_http_hands_its_trace_on(admin, records):
    service = admin.client(Role.PUBLISHER)
    for traceparent in (TRACEPARENT, "nonsense"):
        answer = service.ask(
            "POST",
            "//messages",
            json={"phone_number": PHONE, "message": "rahasia"},
            headers={"traceparent": traceparent},
        )
        assert answer.status_code == 202, answer.text
    headers = [properties.headers for properties in records.waiting_properties("default")]
    assert [one.get("traceparent") for one in headers] == [TRACEPARENT, None]


def test_a_consumer_whose_log_cannot_be_written_goes_on_sending(lane, publisher, arrivals):
    with Path("/dev/full").open("ab") as full:
        sender = subprocess.Popen(
            [ANTRIAN, "consume"], env=environment(lane), stdin=subprocess.DEVNULL, stdout=full, stderr=full
        )
    try:
        for text in ("one", "two"):
            publisher.queue_message(PHONE, text)
        assert arrivals.wait_for(2, 60) == ["one", "two"]
        assert sender.poll() is None
    finally:
        sender.terminate()
        sender.wait(60)
