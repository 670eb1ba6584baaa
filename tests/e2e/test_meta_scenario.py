"""Meta's way from end to end: without a template nothing leaves; the person writes, and the text is delivered."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from receipts_server import ReceiptsServer

from antrian.domain.settings import Settings
from antrian.providers.webhook import path_secret
from waiting import wait_until

SECRET = "the-app-s-secret-of-this-test"
META = {
    "WHATSAPP_PROVIDER": "meta_cloud",
    "WHATSAPP_API_KEY": "token",
    "WHATSAPP_SENDER": "6281100000000",
    "WHATSAPP_PROVIDER_OPTIONS": "phone_number_id=1066,verify_token=kata-kami",
    "WHATSAPP_WEBHOOK_SECRET": SECRET,
    "WHATSAPP_QUEUE_DELAY": "0.5",
}


@pytest.fixture
def receipts(lane: Settings, tmp_path: Path) -> Iterator[ReceiptsServer]:
    with ReceiptsServer(lane, tmp_path / "receipts.log", **META) as server:
        yield server.ready()


def test_person_who_writes_is_answered_freely_and_what_is_sent_is_followed(
    sandbox, receipts, consumer, publisher, arrivals, records
):
    dialect = f"{sandbox.url}/dialect/meta_cloud"
    path = f"/receipts/default/{path_secret(SECRET, 'default')}"
    target = {"url": f"{receipts.url}{path}", "secret": SECRET, "provider": "meta_cloud", "sender": "1066"}
    requests.post(f"{sandbox.url}/_sandbox/webhook", json=target, timeout=60).raise_for_status()
    consumer(**META, WHATSAPP_API_URL=dialect)

    publisher.queue_message("081234567890", "too early")
    [(_, body)] = records.wait_for_dead_letters(1, timeout=60)
    assert b"too early" in body
    [failed] = records.events("outcome.failed")
    assert failed.details["code"] == "needs-template"
    assert arrivals.texts() == []

    wrote = {"number": "6281234567890", "text": "Halo", "provider": "meta_cloud", "sender": "1066"}
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
    assert {event.message_id for event in receipts_of} == {sent}
