"""Meta's and Twilio's adapters against the sandbox that speaks their dialects: sends one way, webhooks the other."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from pydantic import SecretStr
from receiver import Receiver, Taken, receiving

from antrian.domain.lane import Lane
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ProviderEvent
from antrian.providers.contract import Failed, Outgoing, Provider, SendResult, Sent
from antrian.providers.http import Timeouts
from antrian.providers.meta_cloud.client import MetaCloudProvider
from antrian.providers.meta_cloud.payload import MetaOptions
from antrian.providers.receipt_readers import READERS
from antrian.providers.twilio.client import TwilioProvider
from antrian.providers.twilio.payload import TwilioOptions
from antrian.providers.webhook import WebhookRequest
from antrian.sandbox.behaviour import Mode, ModeName
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.report import WebhookTarget
from antrian.sandbox.server import SandboxServer
from waiting import wait_until

SECRET, SENDER = "the-webhook-s-secret", "6281100000000"
OPTIONS = {"meta_cloud": (("phone_number_id", "1066"),), "twilio": (("account_sid", "AC1"),)}


@dataclass
class Pair:
    """One adapter, the sandbox, and what came to the lane's webhook."""

    name: str
    sandbox: SandboxServer
    receiver: Receiver

    def send(self, ending: str) -> SendResult:
        # Short where no answer comes, so that a busy machine's answer is waited for everywhere else.
        outgoing = Outgoing(
            "id", f"+62812000{ending}", "Halo é", correlation_id="id:0:1", window_until=time.time() + 3600
        )
        return self.provider(1 if ending == "9006" else 60).send(outgoing)

    def provider(self, patience: float) -> Provider:
        url, timeouts = f"{self.sandbox.url}/dialect/{self.name}", Timeouts(60, patience, patience)
        if self.name == "twilio":
            return TwilioProvider(url, SecretStr("t"), "AC1", TwilioOptions(f"whatsapp:+{SENDER}"), timeouts=timeouts)
        return MetaCloudProvider(url, SecretStr("t"), "1066", MetaOptions(), timeouts=timeouts)

    def told(self, count: int) -> list[ProviderEvent]:
        """What the first webhooks tell; each must be proved."""
        wait_until(lambda: len(self.receiver.taken) >= count, 30, "the webhooks have come")
        return [event for taken in self.receiver.taken[:count] for event in self._read(taken)]

    def _read(self, taken: Taken) -> list[ProviderEvent]:
        reader, lane = READERS[self.name], Lane(name="a", sender=SENDER, options=OPTIONS[self.name])
        request = WebhookRequest("POST", f"{self.receiver.url}{taken.path}", (), taken.headers, taken.body)
        assert reader.verify(request, ["the old one", SECRET], lane, 0.0)
        assert not reader.verify(request, ["another"], lane, 0.0)
        return list(reader.read(request, lane, 0.0))


@pytest.fixture(params=["meta_cloud", "twilio"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    name = request.param
    sender = "1066" if name == "meta_cloud" else f"+{SENDER}"
    with receiving() as receiver:
        target = WebhookTarget(f"{receiver.url}/receipts/a/x", SECRET, name, sender, "AC1")
        with SandboxServer(targets=[target], pace=ReceiptPace(0, 0.02, 0.02)) as server:
            server.record.mode = Mode(seconds=0.1)
            yield Pair(name, server, receiver)


def seen(result: SendResult) -> str:
    return "sent" if isinstance(result, Sent) else str(result.failure_class)


def test_simulator_numbers(pair: Pair) -> None:
    expected = {
        "7890": ["sent"],
        "9001": ["rejected"],
        "9002": ["transient"] * 2,
        "9003": ["transient"] * 2 + ["sent"],
        "9004": ["throttled", "sent"],
        "9006": ["uncertain"],
        "9007": ["uncertain"],
    }

    assert {ending: [seen(pair.send(ending)) for _ in results] for ending, results in expected.items()} == expected


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("down", {"uncertain"}),
        ("unauthorized", {"unavailable"}),
        ("throttle", {"throttled"}),
        ("disconnected", {"unavailable"}),
    ],
)
def test_modes(pair: Pair, mode: str, expected: set[str]) -> None:
    pair.sandbox.record.mode = Mode(ModeName(mode), 0.1)

    result = pair.send("7890")

    assert isinstance(result, Failed)
    assert seen(result) in expected


def test_receipts_name_the_message_that_was_sent(pair: Pair) -> None:
    result = pair.send("7890")
    receipts = [event for event in pair.told(3) if isinstance(event, DeliveryReceipt)]

    assert isinstance(result, Sent)
    assert [str(receipt.status) for receipt in receipts] == ["sent", "delivered", "read"]
    assert {receipt.provider_id for receipt in receipts} == {result.provider_id}
    assert {receipt.recipient for receipt in receipts} == {"+628120007890"}
    assert {receipt.correlation_id for receipt in receipts} == {pair.provider(1).echoed_id("id:0:1")}


def test_failed_receipt_has_a_class(pair: Pair) -> None:
    pair.send("9015")
    failed = pair.told(2)[-1]

    assert isinstance(failed, DeliveryReceipt)
    assert (str(failed.status), str(failed.failure_class), bool(failed.code)) == ("failed", "rejected", True)


def test_message_of_a_person_is_read(pair: Pair) -> None:
    wrote = {"number": "6281234567890", "text": "BERHENTI ya", "provider": pair.name}
    requests.post(f"{pair.sandbox.url}/_sandbox/inbound", json=wrote, timeout=60).raise_for_status()
    (message,) = pair.told(1)

    assert isinstance(message, InboundMessage)
    assert (message.recipient, message.kind, message.text) == ("+6281234567890", "text", "BERHENTI ya")
    assert message.provider_id
