import json

import pytest
from gateway_requests import BODIES, NOW, SECRET, is_kept, lane_of, posted, signature, spoiled, told
from hypothesis import given

from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ReceiptStatus,
    SessionNotice,
    SessionState,
    UnreadableReport,
    reported,
)
from antrian.providers.waha.payload import sent_id
from antrian.providers.waha.receipts import READER

LANE = lane_of("waha")
OURS = sent_id("m:0:1")
PERSON = "6281234567890@c.us"


def event(name: str, payload: object, **fields: object) -> dict[str, object]:
    envelope = {"id": "evt_01", "timestamp": 1_764_000_000_123, "event": name, "session": "default", "payload": payload}
    return envelope | fields


def ack(number: object, message_id: object = f"true_{PERSON}_{OURS}", **fields: object) -> dict[str, object]:
    return event("message.ack", {"id": message_id, "from": PERSON, "fromMe": True, "ack": number} | fields)


def test_vendors_own_vector_is_verified() -> None:
    body = b'{"event":"message","session":"default","engine":"WEBJS"}'
    signed = (
        "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8"
        "097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89"
    )
    request = posted(body, X_Webhook_Hmac=signed)

    assert READER.verify(request, ["other", "my-secret-key"], LANE, NOW)
    assert not READER.verify(request, ["other"], LANE, NOW)
    assert not READER.verify(request, ["", "my-secret-key2"], LANE, NOW)
    assert not READER.verify(posted(body + b" ", X_Webhook_Hmac=signed), ["my-secret-key"], LANE, NOW)
    assert not READER.verify(posted(body), ["my-secret-key"], LANE, NOW)


def test_signature_of_another_algorithm_or_without_a_secret_proves_nothing() -> None:
    body = b"{}"

    assert not READER.verify(posted(body, X_Webhook_Hmac=signature(body, "sha256")), [SECRET], LANE, NOW)
    assert not READER.verify(posted(body, X_Webhook_Hmac=signature(body, "sha512", "")), [""], LANE, NOW)


@pytest.mark.parametrize(
    ("number", "status"),
    [
        (0, ReceiptStatus.ACCEPTED),
        (1, ReceiptStatus.SENT),
        (2, ReceiptStatus.DELIVERED),
        (3, ReceiptStatus.READ),
        (4, ReceiptStatus.READ),
    ],
)
def test_receipt_bears_the_id_that_we_chose(number: int, status: ReceiptStatus) -> None:
    expected = DeliveryReceipt(
        status=status, at=1_764_000_000.123, provider_id=OURS, correlation_id=OURS, recipient="+6281234567890"
    )

    assert told(READER, ack(number), LANE) == (expected,)


def test_error_of_whatsapp_is_no_reason_to_send_again() -> None:
    (receipt,) = told(READER, ack(-1), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert (receipt.status, receipt.failure_class) == (ReceiptStatus.FAILED, FailureClass.REJECTED)
    assert (receipt.code, receipt.correlation_id) == ("refused-by-whatsapp", OURS)
    assert "81234567890" not in receipt.detail


def test_message_that_people_wrote_with_the_session_is_none_of_ours() -> None:
    (receipt,) = told(READER, ack(2, "true_1234@lid_3EB075539C08D763E8A111"), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert (receipt.provider_id, receipt.correlation_id, receipt.recipient) == (
        "3EB075539C08D763E8A111",
        "",
        "1234@lid",
    )


def test_webjs_writes_the_id_as_an_object() -> None:
    (receipt,) = told(READER, ack(2, {"fromMe": True, "_serialized": f"true_{PERSON}_{OURS}"}), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert receipt.provider_id == OURS


def test_our_reading_of_their_message_is_no_receipt() -> None:
    assert told(READER, ack(3, f"false_{PERSON}_AAAA", fromMe=False), LANE) == ()


@pytest.mark.parametrize("number", [None, True, "2", 5, -2, 2.5, [2]])
def test_unknown_status_is_kept(number: object) -> None:
    assert is_kept(told(READER, ack(number), LANE))


def test_inbound_text() -> None:
    payload = {
        "id": f"false_{PERSON}_AAAA",
        "timestamp": 1_763_999_000,
        "from": PERSON,
        "fromMe": False,
        "body": "STOP",
    }

    for name in ("message", "message.any"):
        assert told(READER, event(name, payload), LANE) == (
            InboundMessage(recipient="+6281234567890", provider_id="AAAA", at=1_763_999_000, text="STOP"),
        )
        assert told(READER, event(name, payload | {"fromMe": True}), LANE) == ()
        assert told(READER, event(name, payload | {"from": "12-34@g.us"}), LANE) == ()


@pytest.mark.parametrize(
    "data",
    [
        {"key": {"remoteJidAlt": "6281234567890@s.whatsapp.net"}},
        {"key": {"senderPn": "6281234567890@s.whatsapp.net"}},
        {"Info": {"SenderAlt": "6281234567890:12@s.whatsapp.net"}},
    ],
)
def test_number_beside_a_hidden_identity_is_found(data: dict[str, object]) -> None:
    (message,) = told(READER, event("message", {"id": "A", "from": "1234@lid", "body": "x", "_data": data}), LANE)

    assert isinstance(message, InboundMessage)
    assert (message.recipient, message.identities) == ("+6281234567890", {"lid": "1234@lid"})


def test_writer_without_a_number_is_known_by_identity() -> None:
    (message,) = told(READER, event("message", {"id": "A", "from": "1234@lid", "body": "x"}), LANE)

    assert isinstance(message, InboundMessage)
    assert message.recipient == "1234@lid"


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"hasMedia": True, "media": {"mimetype": "image/jpeg"}, "body": "lihat"}, "image", "lihat"),
        ({"hasMedia": True, "_data": {"type": "ptt"}}, "ptt", ""),
        ({"hasMedia": True}, "media", ""),
        ({"location": {"latitude": 1}, "body": "/9j/4AAQ"}, "location", ""),
        ({"vCards": ["BEGIN:VCARD"], "body": "BEGIN:VCARD"}, "vcard", ""),
    ],
)
def test_kinds_of_messages(fields: dict[str, object], kind: str, text: str) -> None:
    (message,) = told(READER, event("message", {"id": "A", "from": PERSON} | fields), LANE)

    assert isinstance(message, InboundMessage)
    assert (message.kind, message.text) == (kind, text)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("WORKING", SessionState.CONNECTED),
        ("SCAN_QR_CODE", SessionState.NEEDS_QR),
        ("PASSKEY_REQUIRED", SessionState.NEEDS_PASSKEY),
        ("PASSKEY_CONFIRMATION_REQUIRED", SessionState.NEEDS_PASSKEY),
        ("FAILED", SessionState.DISCONNECTED),
        ("STOPPED", SessionState.DISCONNECTED),
        ("STARTING", SessionState.DISCONNECTED),
    ],
)
def test_session(status: str, state: SessionState) -> None:
    (notice,) = told(READER, event("session.status", {"name": "default", "status": status}), LANE)

    assert isinstance(notice, SessionNotice)
    assert (notice.state, notice.at) == (state, 1_764_000_000.123)


@pytest.mark.parametrize("name", ["message.reaction", "group.v2.join", "presence.update", "engine.event"])
def test_other_known_events_say_nothing(name: str) -> None:
    assert told(READER, event(name, {}), LANE) == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        event("message.ack", None),
        event("message.invented", {}),
        event("session.status", {"status": "DREAMING"}),
        event("message", {"body": "x"}),
        {"event": ["x"], "payload": {}},
    ],
)
def test_what_nobody_can_read_is_kept(body: bytes | dict[str, object]) -> None:
    assert is_kept(told(READER, body, LANE))


def test_event_of_another_session_is_named_and_its_words_are_not_kept() -> None:
    (kept,) = told(READER, ack(3) | {"session": "other"}, LANE)

    assert isinstance(kept, UnreadableReport)
    assert ("another session" in kept.reason, kept.raw) == (True, "")
    assert told(READER, ack(3) | {"session": "other"}, lane_of("waha", options=(("session", "other"),))) != (kept,)


def test_repeated_request_has_the_same_name_whatever_stranger_renames_it() -> None:
    first = posted(ack(3), X_Webhook_Request_Id="1")
    renamed = posted(ack(3), X_Webhook_Request_Id="2")

    assert READER.repeat_key(first) == READER.repeat_key(renamed)
    assert READER.repeat_key(first) != READER.repeat_key(posted(ack(2)))


def test_two_equal_events_without_ids_are_two() -> None:
    body = {key: value for key, value in event("session.status", {"status": "STOPPED"}).items() if key != "id"}

    assert READER.repeat_key(posted(body, X_Webhook_Request_Id="1")) != READER.repeat_key(
        posted(body, X_Webhook_Request_Id="2")
    )


EVENTS = (
    ack(3),
    event(
        "message",
        {"id": f"false_{PERSON}_A", "timestamp": 1, "from": PERSON, "body": "x", "hasMedia": True, "media": {}},
    ),
    event("message", {"id": "A", "from": "1@lid", "body": "x", "_data": {"key": {"remoteJidAlt": PERSON}, "Info": {}}}),
    event("session.status", {"name": "default", "status": "WORKING"}),
)


@given(BODIES | spoiled(*EVENTS))
def test_any_bytes_are_read_without_an_exception(body: bytes) -> None:
    request = posted(body, X_Webhook_Hmac="\ud800")

    assert not READER.verify(request, [SECRET], LANE, NOW)
    assert READER.repeat_key(request)
    for read in READER.read(request, LANE, NOW):
        json.dumps(reported(read, lane="l", provider="p", sender="s", at=NOW, source="s").details, allow_nan=False)
