"""Twilio's webhooks. Signatures are computed a second time here, by the words of Twilio's page "Validate requests"."""

import base64
import hashlib
from collections.abc import Sequence
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.receipt import (
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    ReceiptStatus,
    UnreadableReport,
    reported,
)
from antrian.providers.receipt_readers import READERS
from antrian.providers.webhook import WebhookRequest

READER = READERS["twilio"]
LANE = Lane(name="default", provider="twilio", sender="628114040707", options=(("account_sid", "AC0a"),))
URL = "https://r.example/receipts/default/0123"
TOKEN = "auth-token-of-the-account"
SENDER, PERSON = "whatsapp:+628114040707", "whatsapp:+6281234567890"
FORM = "application/x-www-form-urlencoded"
DELIVERED = {"MessageSid": "SM0a", "MessageStatus": "delivered", "From": SENDER, "To": PERSON, "AccountSid": "AC0a"}
WRITTEN = {
    "MessageSid": "SM0b",
    "SmsStatus": "received",
    "From": PERSON,
    "To": SENDER,
    "WaId": "6281234567890",
    "Body": "Halo",
    "NumMedia": "0",
    "AccountSid": "AC0a",
    "MessageType": "text",
}

Pairs = Sequence[tuple[str, str]]


def signature(url: str, pairs: Pairs, secret: str = TOKEN, algorithm: str = "sha1") -> str:
    """An HMAC by its definition (RFC 2104), not by the library that the product uses."""
    names = sorted({name for name, _ in pairs})
    text = url + "".join(
        name + value for name in names for value in sorted({value for other, value in pairs if other == name})
    )
    key = secret.encode().ljust(64, b"\0")
    inner = hashlib.new(algorithm, bytes(byte ^ 0x36 for byte in key) + text.encode()).digest()
    return base64.b64encode(hashlib.new(algorithm, bytes(byte ^ 0x5C for byte in key) + inner).digest()).decode()


def posted(body: bytes, given: str = "", url: str = URL, content_type: str = FORM, **more: str) -> WebhookRequest:
    headers = {"x-twilio-signature": given, "content-type": content_type} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    _, _, query = url.partition("?")
    pairs = tuple((name, value) for name, _, value in (part.partition("=") for part in query.split("&")) if name)
    return WebhookRequest("POST", url, pairs, headers, body)


def accepts(request: WebhookRequest, *secrets: str) -> bool:
    return READER.verify(request, secrets or ("the old token", TOKEN), LANE, 0.0)


def test_vectors_of_twilios_own_page_and_libraries_are_reproduced() -> None:
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    pairs = [("CallSid", "CA1234567890ABCDE"), ("Caller", "+14158675309"), ("Digits", "1234")]
    pairs += [("From", "+14158675309"), ("To", "+18005551212")]
    expected = "RSOYDt4T1cUTdK1PDd93/VVr8B8="

    assert signature(url, pairs, "12345") == expected
    assert accepts(posted(urlencode(pairs[::-1]).encode(), expected, url), "12345")


CASES: dict[str, tuple[str, Pairs]] = {
    "plain": (URL, [("b", "2"), ("a", "1")]),
    "query in its order": (f"{URL}?foo=1&bar=2&foo=0", [("a", "1")]),
    "escaped query": (f"{URL}?x=a%20b&y=%2B&z=é", [("a", "1")]),
    "empty values": (URL, [("Body", ""), ("a", "")]),
    "repeated keys": (URL, [("a", "2"), ("a", "1"), ("a", "2")]),
    "plus and not ASCII": (URL, [("From", "whatsapp:+62 81"), ("Body", "Terima kasih 😀 é & a=b+c")]),
    "upper before lower": (URL, [("a", "1"), ("B", "2"), ("A", "3")]),
    "no fields": (URL, []),
}


@pytest.mark.parametrize("name", CASES)
def test_signed_form_is_twilios(name: str) -> None:
    url, pairs = CASES[name]
    body = urlencode(pairs).encode()

    assert accepts(posted(body, signature(url, pairs), url))
    assert accepts(posted(body, signature(url, pairs, "the old token"), url))
    assert not accepts(posted(body, signature(url, pairs, "another"), url))
    assert not accepts(posted(body, signature(url, pairs), url + "x"))
    assert not accepts(posted(body + b"&c=3", signature(url, pairs), url))
    assert not accepts(posted(body, signature(url, pairs), url), "")


@pytest.mark.parametrize(
    ("called", "signed"),
    [
        ("https://r.example/x?a=1", "https://r.example:443/x?a=1"),
        ("https://r.example:443/x?a=1", "https://r.example/x?a=1"),
        ("https://r.example:8443/x", "https://r.example/x"),
        ("https://r.example:8443/x", "https://r.example:8443/x"),
        ("http://r.example/x", "http://r.example:80/x"),
        ("http://[::1]:8090/x", "http://[::1]/x"),
        ("https://r.example", "https://r.example:443"),
    ],
)
def test_port_may_be_signed_or_not(called: str, signed: str) -> None:
    assert accepts(posted(b"a=1", signature(signed, [("a", "1")]), called))


@pytest.mark.parametrize(
    ("called", "signed"),
    [
        ("https://r.example/x", "http://r.example/x"),
        ("https://r.example/x", "https://r.example:80/x"),
        ("https://r.example/x:443", "https://r.example/x"),
        ("https://r.example/x?u=h:443", "https://r.example/x?u=h"),
    ],
)
def test_another_address_is_not_ours(called: str, signed: str) -> None:
    assert not accepts(posted(b"a=1", signature(signed, [("a", "1")]), called))


def test_json_is_proved_by_its_digest_in_the_address() -> None:
    body = b'{"a": 1}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    given = signature(url, [])

    assert accepts(posted(body, given, url, "application/json"))
    assert not accepts(posted(body + b" ", given, url, "application/json"))
    assert not accepts(posted(body, signature(URL, []), URL, "application/json"))
    # A form is never proved by the address alone.
    assert not accepts(posted(body, given, url))


def test_rule_for_webhooks_may_ask_for_the_stronger_digest() -> None:
    strong = signature(URL, [("a", "1")], algorithm="sha256")
    rule = "key=k1,algorithm=HMAC_SHA256"

    assert accepts(posted(b"a=1", strong, x_twilio_webhooks_signature_settings=rule))
    assert not accepts(posted(b"a=1", strong))


def test_name_of_a_repeated_request_is_its_signature() -> None:
    assert READER.repeat_key(posted(b"b=2&a=1", "abc=")) == READER.repeat_key(posted(b"a=1&b=2", " abc= "))


def told(fields: dict[str, str], **more: str | None) -> ProviderEvent:
    found = {name: value for name, value in (fields | more).items() if value is not None}
    (event,) = READER.read(posted(urlencode(found).encode()), LANE, 0.0)
    return event


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", ReceiptStatus.ACCEPTED),
        ("sending", ReceiptStatus.ACCEPTED),
        ("sent", ReceiptStatus.SENT),
        ("delivered", ReceiptStatus.DELIVERED),
        ("read", ReceiptStatus.READ),
        ("READ", ReceiptStatus.READ),
    ],
)
def test_status_of_a_message(word: str, status: ReceiptStatus) -> None:
    assert told(DELIVERED, MessageStatus=word) == DeliveryReceipt(
        status=status, provider_id="SM0a", recipient="+6281234567890"
    )


@pytest.mark.parametrize("word", ["failed", "undelivered"])
@pytest.mark.parametrize(
    ("code", "failure_class", "own"),
    [
        ("63016", FailureClass.REJECTED, "outside-window"),
        ("63003", FailureClass.REJECTED, "unknown-recipient"),
        ("30003", FailureClass.TRANSIENT, "unreachable"),
        ("63018", FailureClass.TRANSIENT, "sender-limit"),
        ("30008", FailureClass.REJECTED, "unknown-error"),
        ("99999", FailureClass.REJECTED, "unrecognised"),
        ("", FailureClass.REJECTED, "unrecognised"),
        ("٦٣٠١٦", FailureClass.REJECTED, "unrecognised"),
    ],
)
def test_failed_message_has_its_class_from_the_table_of_answers(
    word: str, code: str, failure_class: FailureClass, own: str
) -> None:
    event = told(DELIVERED, MessageStatus=word, ErrorCode=code, ErrorMessage=f"No way to {PERSON}")

    assert isinstance(event, DeliveryReceipt)
    assert (event.status, event.failure_class, event.code) == (ReceiptStatus.FAILED, failure_class, own)
    assert event.detail.endswith("No way to whatsapp:…")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"text": "Halo"}),
        ({"MessageType": None}, {"text": "Halo"}),
        ({"MessageType": None, "NumMedia": "1"}, {"kind": "media"}),
        ({"MessageType": "image", "NumMedia": "1"}, {"kind": "image"}),
        ({"MessageType": "button", "ButtonText": "Ya", "ButtonPayload": "1"}, {"kind": "button", "text": "Ya"}),
        ({"Body": "STOP", "OptOutType": "STOP"}, {"text": "STOP", "preference": "stop"}),
        ({"Body": "MULAI", "OptOutType": "START"}, {"text": "MULAI", "preference": "start"}),
        ({"Body": "HELP", "OptOutType": "HELP"}, {"text": "HELP"}),
        ({"ExternalUserId": "ID.1349"}, {"text": "Halo", "identities": {"bsuid": "ID.1349"}}),
        (
            {"From": "whatsapp:ID.1349", "WaId": None},
            {"text": "Halo", "recipient": "ID.1349", "identities": {"bsuid": "ID.1349"}},
        ),
    ],
)
def test_message_of_a_person(more: dict[str, str | None], expected: dict[str, object]) -> None:
    base = {"recipient": "+6281234567890", "provider_id": "SM0b"}

    assert told(WRITTEN, **more) == InboundMessage(**(base | expected))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (DELIVERED | {"MessageStatus": "flown"}, "it tells nothing that is known"),
        (DELIVERED | {"MessageSid": ""}, "it tells nothing that is known"),
        (DELIVERED | {"AccountSid": "AC9"}, "it is about another account"),
        (DELIVERED | {"From": "whatsapp:+628999"}, "it is about another sender"),
        (WRITTEN | {"From": "whatsapp:", "WaId": ""}, "it tells nothing that is known"),
        ({"Level": "ERROR"}, "it tells nothing that is known"),
    ],
)
def test_what_cannot_be_read_or_is_not_the_lanes_is_kept(fields: dict[str, str], reason: str) -> None:
    event = told(fields)

    assert isinstance(event, UnreadableReport)
    assert event.reason == reason
    assert event.raw


values = st.text(max_size=8) | st.sampled_from([SENDER, PERSON, "delivered", "failed", "received", "63016", "AC0a"])
forms = st.dictionaries(st.sampled_from([*DELIVERED, *WRITTEN, "ErrorCode", "OptOutType"]), values).map(
    lambda fields: urlencode(fields).encode()
)


@given(
    body=st.binary(max_size=100) | forms,
    content_type=st.sampled_from([FORM, "application/json", ""]),
    given=st.text(st.characters(), max_size=10),
    url=st.just(URL) | st.text(st.characters(), max_size=20),
)
def test_any_body_is_read_and_what_it_tells_can_be_written_down(
    body: bytes, content_type: str, given: str, url: str
) -> None:
    request = posted(body, given, url, content_type)
    (event,) = READER.read(request, LANE, 0.0)

    reported(event, lane="default", provider="twilio", sender="6281", at=0.0, source="test").encode()
    assert not accepts(request)
