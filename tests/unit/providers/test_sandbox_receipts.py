"""What the sandbox says in its own dialect is proved and read; the two know nothing of each other but the contract."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ReceiptStatus,
    SessionNotice,
    SessionState,
    UnreadableReport,
)
from antrian.providers.receipt_readers import READERS
from antrian.providers.webhook import WebhookRequest
from antrian.sandbox.dialects.sandbox import SandboxDialect
from antrian.sandbox.report import InboundReport, SessionReport, StatusReport, WebhookTarget

READER = READERS["sandbox"]
LANE = Lane(name="default", provider="sandbox")
SECRET = "a-secret-of-the-lane"
NAME = "0b5c9b8e-0000-4000-8000-000000000001:2:1"


def request_of(body, **headers):
    return WebhookRequest("POST", "http://host/receipts/default/x", (), headers, body)


def sent_by_sandbox(report, secret=SECRET):
    call = SandboxDialect().write(report, WebhookTarget("http://host/", secret))
    return request_of(call.body, **{name.lower(): value for name, value in call.headers.items()})


def status_report(status, **more):
    told = {"at": 1764000000.25, "provider_id": "3EB0AB", "correlation_id": NAME, "number": "6281234567890"}
    return StatusReport(status=status, **told | more)


def status_event(status, **more):
    told = {"at": 1764000000.25, "provider_id": "3EB0AB", "correlation_id": NAME, "recipient": "+6281234567890"}
    return DeliveryReceipt(status=status, **told | more)


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (status_report("sent"), status_event(ReceiptStatus.SENT)),
        (status_report("delivered"), status_event(ReceiptStatus.DELIVERED)),
        (status_report("read"), status_event(ReceiptStatus.READ)),
        (
            status_report("failed"),
            status_event(
                ReceiptStatus.FAILED,
                failure_class=FailureClass.REJECTED,
                code="undeliverable",
                detail="The number cannot be reached",
            ),
        ),
        (
            status_report("failed", is_final=False),
            status_event(
                ReceiptStatus.FAILED,
                failure_class=FailureClass.TRANSIENT,
                code="not-delivered-for-now",
                detail="WhatsApp did not take it for now",
            ),
        ),
        (
            InboundReport(number="6281234567890", text="BERHENTI", at=5.0, provider_id="3EB0CD"),
            InboundMessage(recipient="+6281234567890", provider_id="3EB0CD", at=5.0, text="BERHENTI"),
        ),
        (SessionReport(state="needs_qr", at=5.0), SessionNotice(state=SessionState.NEEDS_QR, at=5.0)),
    ],
)
def test_what_is_reported_is_proved_and_read(report, told):
    request = sent_by_sandbox(report)

    assert READER.verify(request, ["another", SECRET], LANE, 0)
    assert list(READER.read(request, LANE, 0)) == [told]


def test_a_forged_one_is_not_the_sandbox_s():
    true = sent_by_sandbox(status_report("read"))
    others = [
        request_of(true.body.replace(b"read", b"sent"), **true.headers),
        request_of(true.body),
        request_of(true.body, **{"x-sandbox-signature": "sha256="}),
        request_of(true.body, **{"x-sandbox-signature": true.headers["x-sandbox-signature"][7:]}),
        sent_by_sandbox(status_report("read"), "another secret"),
        sent_by_sandbox(status_report("read"), ""),
    ]

    assert not any(READER.verify(request, [SECRET, ""], LANE, 0) for request in others)
    assert not READER.verify(true, [], LANE, 0)


def test_one_event_that_cannot_be_read_leaves_the_others():
    events = [{"type": "status", "id": "3EB0AB", "status": "sent"}, {"type": "status", "id": "3EB0AB"}, 7]
    told = READER.read(request_of(json.dumps({"events": events}).encode()), LANE, 0)

    assert [type(one) for one in told] == [DeliveryReceipt, UnreadableReport, UnreadableReport]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
fields = st.sampled_from(["type", "id", "status", "at", "state", "text", "number", "final", "correlation_id", "reason"])
words = st.sampled_from(["status", "inbound", "session", "failed", "read", "banned", "\ud800"])
events = st.dictionaries(fields, anything | words, max_size=10)


@given(
    body=st.binary(max_size=60)
    | st.lists(events | anything, max_size=4).map(lambda e: json.dumps({"events": e}).encode())
)
def test_nothing_that_is_signed_makes_it_stumble(body):
    for told in READER.read(request_of(body), LANE, 0):
        json.dumps(str(told)).encode()
        assert isinstance(told, DeliveryReceipt | InboundMessage | SessionNotice | UnreadableReport)
