"""Each adapter and the dialect that stands in for its provider: written apart, from the same contract.

What an adapter makes of every number is proved beside it; here it is that the two understand each other at all.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import SecretStr
from receiver import Receiver, Taken, receiving

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane, Lanes
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    SessionNotice,
    SessionState,
)
from antrian.providers.contract import Failed, Outgoing, Sent
from antrian.providers.receipt_readers import READERS
from antrian.providers.registry import make_provider
from antrian.providers.webhook import WebhookRequest
from antrian.sandbox.behaviour import Mode, ModeName
from antrian.sandbox.dialects.catalog import DIALECTS
from antrian.sandbox.follow_up import ReceiptPace
from antrian.sandbox.report import InboundReport, SessionReport, WebhookTarget
from antrian.sandbox.server import SandboxServer
from antrian.up.sandbox_webhooks import webhooks_of
from waiting import wait_until

SECRET = "a-secret-of-the-lane"
OWN = "628110000001"
NAME = "0b5c9b8e-0000-4000-8000-000000000001"
OPTIONS = {
    "meta_cloud": (("phone_number_id", "1066"),),
    "twilio": (("account_sid", f"AC{'1' * 32}"),),
}
KEYS = {"gowa": "user:secret"}
PROVIDERS = ("meta_cloud", "twilio", "waha", "gowa", "fonnte")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[SandboxServer]:
    targets = [target(name, receiver.url) for name in PROVIDERS]
    with SandboxServer(targets=targets, pace=ReceiptPace(0.05, 0.05, 0.05)) as server:
        server.record.mode = Mode(seconds=0.2)
        yield server


def target(name: str, url: str) -> WebhookTarget:
    """Where the lane's webhooks go, with another address than that of a receipts server."""
    lane = lane_of(name, url)
    [found] = webhooks_of(Lanes([lane]), url)
    return replace(found, url=f"{url}/receipts/one/x")


def lane_of(name: str, url: str) -> Lane:
    sender = f"+{OWN}" if name == "twilio" else OWN
    return Lane(
        name="one",
        provider=name,
        url=f"{url}/dialect/{name}",
        key=SecretStr(KEYS.get(name, "key")),
        sender=sender,
        options=OPTIONS.get(name, ()),
        webhook_secrets=(SecretStr(SECRET),),
    )


def outgoing(ending: str) -> Outgoing:
    window = time.time() + 3600
    return Outgoing(NAME, f"+62812000{ending}", "Halo", correlation_id=f"{NAME}:1:1", window_until=window)


def told(taken: Taken, lane: Lane, url: str) -> list[ProviderEvent]:
    """What the adapter reads in a webhook that it must find proved."""
    address = url + taken.path
    query = tuple(parse_qsl(urlsplit(address).query))
    request = WebhookRequest("POST", address, query, taken.headers, taken.body)
    reader = READERS[lane.provider]
    assert reader.verify(request, [SECRET], lane, time.time())
    return list(reader.read(request, lane, time.time()))


@pytest.mark.parametrize("name", PROVIDERS)
def test_answers_are_understood(sandbox: SandboxServer, name: str) -> None:
    provider = make_provider(lane_of(name, sandbox.url), sandbox_port=1)
    sent, absent, throttled, lost = (provider.send(outgoing(end)) for end in ("7890", "9001", "9004", "9007"))
    sandbox.record.mode = Mode(ModeName.UNAUTHORIZED)
    unauthorized = provider.send(outgoing("7890"))
    sandbox.record.mode = Mode(ModeName.DISCONNECTED)
    disconnected = provider.send(outgoing("7890"))

    assert isinstance(sent, Sent)
    assert sent.provider_id
    assert sent.provider_id in sandbox.record.arrivals()[0].provider_id
    failures = [one for one in (absent, throttled, lost, unauthorized, disconnected) if isinstance(one, Failed)]
    assert [one.failure_class for one in failures] == [
        FailureClass.REJECTED,
        FailureClass.THROTTLED,
        FailureClass.UNCERTAIN,
        FailureClass.UNAVAILABLE,
        FailureClass.UNAVAILABLE,
    ]
    assert failures[1].retry_after == 1


@pytest.mark.parametrize("name", PROVIDERS)
def test_receipts_are_proved_and_matched(sandbox: SandboxServer, receiver: Receiver, name: str) -> None:
    lane = lane_of(name, sandbox.url)
    provider = make_provider(lane, sandbox_port=1)
    sent = provider.send(outgoing("7890"))
    assert isinstance(sent, Sent)
    count = 2 if name == "gowa" else 3
    wait_until(lambda: len(receiver.taken) >= count, 30, "the receipts have come")
    events = [event for taken in receiver.taken for event in told(taken, lane, receiver.url)]

    receipts = [event for event in events if isinstance(event, DeliveryReceipt)]
    assert [one.status for one in receipts] == [ReceiptStatus.SENT, ReceiptStatus.DELIVERED, ReceiptStatus.READ][
        -count:
    ]
    first = receipts[0]
    assert sent.provider_id == first.provider_id
    # One that names a message otherwise later has said so.
    assert {one.provider_id for one in receipts} <= {first.provider_id, first.alias}
    if name == "meta_cloud":
        assert {one.correlation_id for one in receipts} == {f"{NAME}:1:1"}


@pytest.mark.parametrize("name", [name for name in PROVIDERS if name != "gowa"])
def test_failed_receipts_say_what_may_be_done(sandbox: SandboxServer, receiver: Receiver, name: str) -> None:
    lane = lane_of(name, sandbox.url)
    provider = make_provider(lane, sandbox_port=1)
    for place, ending in enumerate(("9015", "9016"), start=1):
        provider.send(outgoing(ending))
        wait_until(lambda place=place: len(receiver.taken) >= 2 * place, 30, "the receipts have come")  # type: ignore[misc]
    events = [event for taken in receiver.taken for event in told(taken, lane, receiver.url)]
    failed = [one for one in events if isinstance(one, DeliveryReceipt) and one.status is ReceiptStatus.FAILED]

    assert len(failed) == 2
    assert failed[0].failure_class is FailureClass.REJECTED
    # WAHA has one word for both.
    assert failed[1].failure_class is (FailureClass.REJECTED if name == "waha" else FailureClass.TRANSIENT)


@pytest.mark.parametrize("name", [*PROVIDERS, "mpwa"])
def test_messages_of_people_are_proved_and_read(name: str) -> None:
    lane, url = lane_of(name, "http://host"), "http://host"
    inbound = InboundReport(
        number="6281234567890", text="BERHENTI", at=time.time(), provider_id="3EB0CD", sender=target(name, url).sender
    )
    call = DIALECTS[name].write(inbound, target(name, url))
    assert call is not None
    taken = Taken("/receipts/one/x", {key.lower(): value for key, value in call.headers.items()}, call.body)
    [event] = told(taken, lane, url)

    assert isinstance(event, InboundMessage)
    assert (event.recipient, event.text) == ("+6281234567890", "BERHENTI")


@pytest.mark.parametrize("name", ["waha", "fonnte"])
@pytest.mark.parametrize("state", [SessionState.CONNECTED, SessionState.DISCONNECTED])
def test_states_of_the_sender_are_proved_and_read(name: str, state: SessionState) -> None:
    lane, url = lane_of(name, "http://host"), "http://host"
    call = DIALECTS[name].write(
        SessionReport(state=str(state), at=time.time(), sender=target(name, url).sender), target(name, url)
    )
    assert call is not None
    taken = Taken("/receipts/one/x", {key.lower(): value for key, value in call.headers.items()}, call.body)
    [event] = told(taken, lane, url)

    assert isinstance(event, SessionNotice)
    assert event.state is state
