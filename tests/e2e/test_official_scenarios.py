"""Meta and Twilio end to end: without a template nothing leaves; the person writes, and the text is delivered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from receipts_server import ReceiptsServer

from antrian.domain.provider_catalog import PROVIDERS
from antrian.domain.settings import Settings
from antrian.providers.webhook import path_secret
from waiting import wait_until

SECRET = "the-app-s-secret-of-this-test"
SENDER = "6281100000000"
#: Of each provider: its options, and how its requests name the sender.
OFFICIAL = {
    "meta_cloud": ("phone_number_id=1066,verify_token=kata-kami", "1066"),
    "twilio": ("account_sid=AC1", SENDER),
}


@pytest.fixture(params=OFFICIAL)
def provider(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def variables(provider: str) -> dict[str, str]:
    return {
        "WHATSAPP_PROVIDER": provider,
        "WHATSAPP_API_KEY": "token",
        "WHATSAPP_SENDER": SENDER,
        "WHATSAPP_PROVIDER_OPTIONS": OFFICIAL[provider][0],
        "WHATSAPP_WEBHOOK_SECRET": SECRET,
        "WHATSAPP_QUEUE_DELAY": "0.5",
    }


@pytest.fixture
def receipts(lane: Settings, variables: dict[str, str], tmp_path: Path) -> Iterator[ReceiptsServer]:
    server = ReceiptsServer(lane, tmp_path / "receipts.log", **variables)
    # Twilio signs the address that it calls.
    server._environment["RECEIPTS_PUBLIC_URL"] = server.url
    with server:
        yield server.ready()


def test_person_who_writes_is_answered_freely_and_what_is_sent_is_followed(
    sandbox, provider, variables, receipts, consumer, publisher, arrivals, records
):
    sender = OFFICIAL[provider][1]
    path = f"/receipts/default/{path_secret(SECRET, 'default')}"
    target = {"url": f"{receipts.url}{path}", "secret": SECRET, "provider": provider, "sender": sender}
    named = {"account": "AC1"} if provider == "twilio" else {}
    requests.post(f"{sandbox.url}/_sandbox/webhook", json=target | named, timeout=60).raise_for_status()
    consumer(**variables, WHATSAPP_API_URL=f"{sandbox.url}/dialect/{provider}")

    publisher.queue_message("081234567890", "too early")
    [(_, body)] = records.wait_for_dead_letters(1, timeout=60)
    assert b"too early" in body
    [failed] = records.events("outcome.failed")
    assert failed.details["code"] == "needs-template"
    assert arrivals.texts() == []

    wrote = {"number": "6281234567890", "text": "Halo", "provider": provider, "sender": sender}
    requests.post(f"{sandbox.url}/_sandbox/inbound", json=wrote, timeout=60).raise_for_status()
    wait_until(lambda: records.events("contact.known", records.names.journal), 30, "the person is known")
    sent = ""
    for number in range(5):
        # The consumer reads contacts and messages from two streams: it may have the message first.
        sent = publisher.queue_message("081234567890", f"text {number}").message_id
        wait_until(lambda: arrivals.texts() or len(records.dead_letters()) > number + 1, 60, "it is decided")  # noqa: B023
        if arrivals.texts():
            break
    assert len(arrivals.texts()) == 1

    wait_until(
        lambda: len(records.events("receipt.status", records.names.journal)) >= 3, 60, "the receipts are in the journal"
    )
    receipts_of = records.events("receipt.status", records.names.journal)
    assert [event.details["status"] for event in receipts_of] == ["sent", "delivered", "read"]
    [outcome] = [event for event in records.events("outcome.sent") if event.message_id == sent]
    assert {event.details["provider_id"] for event in receipts_of} == {outcome.details["provider_id"]}
    assert {event.message_id for event in receipts_of} == {sent if PROVIDERS[provider].echoes_id else ""}
