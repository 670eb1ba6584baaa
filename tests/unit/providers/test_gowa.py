import base64
import json

import pytest
from gateway_requests import BODIES, NOW, SECRET, SENDER, is_kept, lane_of, posted, signature, spoiled, told
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus, UnreadableReport, reported
from antrian.providers.contract import Failed, Outgoing, Sent
from antrian.providers.gowa.answers import classify
from antrian.providers.gowa.client import GowaProvider
from antrian.providers.gowa.payload import headers, private_parts, send_message
from antrian.providers.gowa.receipts import READER
from antrian.providers.http import Answer
from antrian.providers.redaction import LONGEST_DETAIL

LANE = lane_of("gowa")
KEY = SecretStr("antrian:p4ssw0rd")
PERSON = "6281234567890@s.whatsapp.net"


def seen(status: int, code: str = "", message: str = "") -> tuple[str, str]:
    body = {"status": status, "code": code, "message": message, "results": None}
    result = classify(Answer(status, json.dumps(body).encode()))
    assert isinstance(result, Failed)
    return (str(result.failure_class), result.code)


def test_request() -> None:
    assert send_message(Outgoing("id", "+6281234567890", "Halo")) == {"phone": PERSON, "message": "Halo"}
    assert headers(KEY, "") == {"Authorization": "Basic " + base64.b64encode(b"antrian:p4ssw0rd").decode()}
    assert headers(KEY, "shop")["X-Device-Id"] == "shop"


def test_accepted() -> None:
    body = b'{"status": 200, "code": "SUCCESS", "message": "Message sent", "results": {"message_id": "3EB0C1"}}'

    assert classify(Answer(200, body)) == Sent("3EB0C1")
    assert classify(Answer(200, b'{"code": "SUCCESS"}')) == Sent(None)


TIMELOCK = "WhatsApp rejected this send with error 463 (reach-out timelock). This is WhatsApp's restriction"

FAILURES = [
    (400, "INVALID_JID", "user is not registered", ("rejected", "not-on-whatsapp")),
    (400, "VALIDATION_ERROR", "phone: cannot be blank.", ("rejected", "invalid-fields")),
    (400, "DEVICE_ID_REQUIRED", "device_id is required", ("unavailable", "device-not-found")),
    (404, "DEVICE_NOT_FOUND", "device not found; create a device first", ("unavailable", "device-not-found")),
    (401, "", "Unauthorized", ("unavailable", "bad-credentials")),
    (401, "AUTHENTICATION_ERROR", "you are not login", ("unavailable", "session-scan-qr")),
    (
        401,
        "AUTHENTICATION_ERROR",
        "you are not connect to services server, please reconnect",
        ("unavailable", "session-disconnected"),
    ),
    (500, "INVALID_WA_CLI", "your WhatsApp CLI is invalid or empty", ("unavailable", "session-failed")),
    (500, "INTERNAL_SERVER_ERROR", "websocket not connected", ("unavailable", "session-disconnected")),
    (500, "INTERNAL_SERVER_ERROR", "failed to get device list: info query timed out", ("transient", "send-failed")),
    (500, "INTERNAL_SERVER_ERROR", "timed out waiting for message send response", ("uncertain", "error-while-sending")),
    (429, "WA_REACHOUT_TIMELOCK", TIMELOCK, ("cold_refused", "new-contact-refused")),
    (500, "INTERNAL_SERVER_ERROR", "server returned error 463", ("cold_refused", "new-contact-refused")),
    (429, "", "Too Many Requests", ("throttled", "throttled")),
    (408, "CONTEXT_ERROR", "context canceled", ("uncertain", "error-while-sending")),
    (504, "GATEWAY_TIMEOUT", "Request timed out waiting for WhatsApp", ("uncertain", "gateway-error")),
    (503, "DEVICE_MANAGER_UNAVAILABLE", "Device manager is not initialized", ("unavailable", "provider-down")),
    (404, "", "Cannot POST /api/send/message", ("unavailable", "refused-by-web-server")),
    (200, "", "", ("uncertain", "unclear-answer")),
    (200, "ERROR", "no", ("uncertain", "unclear-answer")),
    (302, "", "", ("unavailable", "redirected")),
]


@pytest.mark.parametrize(("status", "code", "message", "expected"), FAILURES)
def test_failures(status: int, code: str, message: str, expected: tuple[str, str]) -> None:
    assert seen(status, code, message) == expected


@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_answer_is_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), now=1.0)

    assert isinstance(result, Sent) or len(result.detail) <= LONGEST_DETAIL


def test_detail_repeats_nothing_private() -> None:
    parts = private_parts(KEY)
    said = json.dumps({"code": "X", "message": f"cannot send {' '.join(parts)} to 6281234567890"}).encode()
    result = classify(Answer(500, said), parts)

    assert isinstance(result, Failed)
    assert "cannot send" in result.detail
    assert not [part for part in (*parts, "81234567890") if part in result.detail]


@pytest.mark.parametrize("key", ["", "only-a-password"])
def test_key_without_a_user_is_explained(key: str) -> None:
    result = GowaProvider("http://127.0.0.1:0", SecretStr(key)).send(Outgoing("id", "+6281234567890", "Halo"))

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == ("unavailable", "bad-credentials")
    assert "user:password" in result.detail


def test_key_is_not_shown_by_repr() -> None:
    assert "p4ssw0rd" not in repr(vars(GowaProvider("http://127.0.0.1:0", KEY)))


def event(name: str, payload: object, **fields: object) -> dict[str, object]:
    envelope = {"event": name, "device_id": f"{SENDER}@s.whatsapp.net", "timestamp": "2025-07-18T22:44:20Z"}
    return envelope | {"payload": payload} | fields


def ack(kind: object, ids: object = ("3EB0C1",), **fields: object) -> dict[str, object]:
    return event("message.ack", {"ids": ids, "chat_id": PERSON, "from": PERSON, "receipt_type": kind} | fields)


def test_signature_over_the_raw_body_with_any_current_secret() -> None:
    body = json.dumps(ack("read")).encode()
    signed = f"sha256={signature(body, 'sha256')}"

    assert READER.verify(posted(body, X_Hub_Signature_256=signed), ["new", SECRET], LANE, NOW)
    assert not READER.verify(posted(body + b"\n", X_Hub_Signature_256=signed), [SECRET], LANE, NOW)
    assert not READER.verify(posted(body, X_Hub_Signature_256=signed), ["new"], LANE, NOW)
    assert not READER.verify(posted(body, X_Hub_Signature_256=signed.removeprefix("sha256=")), [SECRET], LANE, NOW)
    assert not READER.verify(posted(body), [SECRET], LANE, NOW)
    empty = f"sha256={signature(body, 'sha256', '')}"
    assert not READER.verify(posted(body, X_Hub_Signature_256=empty), [""], LANE, NOW)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("delivered", ReceiptStatus.DELIVERED),
        ("", ReceiptStatus.DELIVERED),
        ("read", ReceiptStatus.READ),
        ("played", ReceiptStatus.READ),
    ],
)
def test_receipt(kind: str, status: ReceiptStatus) -> None:
    expected = DeliveryReceipt(status=status, at=1_752_878_660, provider_id="3EB0C1", recipient="+6281234567890")

    assert told(READER, ack(kind), LANE) == (expected,)


def test_each_id_of_one_event_is_a_receipt_and_a_bad_one_spoils_no_other() -> None:
    events = told(READER, ack("read", ["A", {"x": 1}, "B", None, 7]), LANE)

    assert [event.provider_id if isinstance(event, DeliveryReceipt) else "kept" for event in events] == [
        "A",
        "kept",
        "B",
        "kept",
        "7",
    ]


@pytest.mark.parametrize("kind", ["read-self", "sender", "retry", "played-self"])
def test_receipt_of_our_own_telephone_is_none(kind: str) -> None:
    assert told(READER, ack(kind), LANE) == ()


@pytest.mark.parametrize(("kind", "ids"), [("invented", ["A"]), (None, ["A"]), (3, ["A"]), ("read", []), ("read", "A")])
def test_unknown_receipt_is_kept(kind: object, ids: object) -> None:
    assert is_kept(told(READER, ack(kind, ids), LANE))


def test_nobody_becomes_known_by_a_receipt_in_a_group() -> None:
    (receipt,) = told(READER, ack("read", chat_id="120363402106@g.us"), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert receipt.recipient == ""


def test_inbound_text() -> None:
    payload = {
        "id": "3EB0C2",
        "chat_id": PERSON,
        "from": PERSON,
        "from_lid": "251556368777322@lid",
        "timestamp": "2023-10-15T10:30:00Z",
        "is_from_me": False,
        "body": "Berhenti",
    }

    assert told(READER, event("message", payload), LANE) == (
        InboundMessage(
            recipient="+6281234567890",
            provider_id="3EB0C2",
            at=1_697_365_800,
            text="Berhenti",
            identities={"lid": "251556368777322@lid"},
        ),
    )
    assert told(READER, event("message", payload | {"is_from_me": True}), LANE) == ()
    assert told(READER, event("message", payload | {"chat_id": "1203634@g.us"}), LANE) == ()
    (image,) = told(READER, event("message", payload | {"image": {"url": "x"}, "body": "lihat"}), LANE)
    assert isinstance(image, InboundMessage)
    assert (image.kind, image.text) == ("image", "lihat")


def test_event_of_another_device_is_named_and_its_words_are_not_kept() -> None:
    (kept,) = told(READER, ack("read") | {"device_id": "628999@s.whatsapp.net"}, LANE)

    assert isinstance(kept, UnreadableReport)
    assert ("another device" in kept.reason, kept.raw) == (True, "")
    several = lane_of("gowa", options=(("device_id", "shop"),))
    assert told(READER, ack("read") | {"device_id": "628999@s.whatsapp.net"}, several) == ()


@pytest.mark.parametrize("device", [f"{SENDER}:12@s.whatsapp.net", SENDER, "", None, "shop"])
def test_device_is_ours_under_each_name_that_it_has(device: object) -> None:
    lane = lane_of("gowa", options=(("device_id", "shop"),))

    assert isinstance(told(READER, ack("read") | {"device_id": device}, lane)[0], DeliveryReceipt)


@pytest.mark.parametrize("name", ["message.reaction", "group.participants", "newsletter.mute", "call.offer"])
def test_other_known_events_say_nothing(name: str) -> None:
    assert told(READER, event(name, {}), LANE) == ()


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[1]", event("message.ack", None), event("invented", {}), event("message", {"body": "x"})]
)
def test_what_nobody_can_read_is_kept(body: bytes | dict[str, object]) -> None:
    assert is_kept(told(READER, body, LANE))


EVENTS = (
    ack("read"),
    event(
        "message", {"id": "A", "chat_id": PERSON, "from": PERSON, "from_lid": "1@lid", "body": "x", "timestamp": "z"}
    ),
)


@given(BODIES | spoiled(*EVENTS))
def test_any_bytes_are_read_without_an_exception(body: bytes) -> None:
    request = posted(body, X_Hub_Signature_256="sha256=\ud800")

    assert not READER.verify(request, [SECRET], LANE, NOW)
    for read in READER.read(request, LANE, NOW):
        json.dumps(reported(read, lane="l", provider="p", sender="s", at=NOW, source="s").details, allow_nan=False)
