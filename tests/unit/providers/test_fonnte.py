import json
from urllib.parse import urlencode

import pytest
from gateway_requests import BODIES, NOW, SECRET, SENDER, is_kept, lane_of, posted, spoiled, told
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.domain.receipt import DeliveryReceipt, InboundMessage, ReceiptStatus, SessionNotice, SessionState, reported
from antrian.providers.contract import Failed, Outgoing, Sent
from antrian.providers.fonnte.answers import classify
from antrian.providers.fonnte.client import FonnteProvider
from antrian.providers.fonnte.payload import form_of, refuse
from antrian.providers.fonnte.receipts import READER
from antrian.providers.http import Answer
from antrian.providers.redaction import LONGEST_DETAIL

LANE = lane_of("fonnte")


def answer(status: int, /, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode())


def seen(result: object) -> tuple[str, str]:
    assert isinstance(result, Failed)
    return (str(result.failure_class), result.code)


def test_request_has_the_whole_number_and_waits_nowhere() -> None:
    assert form_of(Outgoing("id", "+6591234567", "Halo")) == {
        "target": "6591234567",
        "message": "Halo",
        "countryCode": "0",
        "connectOnly": "true",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"status": True, "detail": "success! message in queue", "id": ["80367170"], "process": "pending"},
        {"status": "true", "id": ["80367170"]},
        {"status": "True", "id": [80367170]},
        {"Status": True, "id": "80367170"},
        {"STATUS": "1", "id": 80367170},
        {"detail": "success! message in queue", "id": ["80367170"]},
    ],
)
def test_success_is_told_in_many_ways(fields: dict[str, object]) -> None:
    assert classify(answer(200, **fields)) == Sent("80367170")


REASONS = [
    ("token invalid", "unavailable", "bad-credentials"),
    ("unknown user", "unavailable", "bad-credentials"),
    ("request invalid on disconnected device", "unavailable", "sender-disconnected"),
    ("insufficient quota", "unavailable", "plan-exhausted"),
    ("target invalid", "rejected", "not-on-whatsapp"),
    ("target input invalid", "rejected", "not-on-whatsapp"),
    ("invalid/empty body value", "rejected", "invalid-fields"),
    ("input invalid", "rejected", "invalid-fields"),
    ("url unreachable", "transient", "send-failed"),
    ("request timeout", "uncertain", "answer-lost"),
    ("server returned error 463", "cold_refused", "new-contact-refused"),
    ("something new", "rejected", "unrecognised"),
]


@pytest.mark.parametrize(("reason", "failure_class", "code"), REASONS)
@pytest.mark.parametrize("status", [False, "false", "False", "0", None])
def test_reasons_of_a_failure_that_is_answered_with_200(
    reason: str, failure_class: str, code: str, status: object
) -> None:
    fields = {"Status": status, "reason": reason.upper()} if status is not None else {"reason": reason}

    assert seen(classify(answer(200, **fields))) == (failure_class, code)


@pytest.mark.parametrize(
    ("status", "fields", "expected"),
    [
        (200, {}, ("uncertain", "unclear-answer")),
        (200, {"status": "perhaps", "id": ["1"]}, ("uncertain", "unclear-answer")),
        (200, {"detail": "hello"}, ("uncertain", "unclear-answer")),
        (200, {"status": False}, ("uncertain", "unclear-answer")),
        (500, {"status": True, "id": ["1"]}, ("uncertain", "contradiction")),
        (400, {"status": False, "reason": "token invalid"}, ("unavailable", "bad-credentials")),
        (429, {}, ("throttled", "throttled")),
        (502, {}, ("uncertain", "gateway-error")),
        (503, {}, ("unavailable", "provider-down")),
        (403, {"detail": "blocked"}, ("unavailable", "refused-by-web-server")),
    ],
)
def test_other_answers(status: int, fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert seen(classify(answer(status, **fields))) == expected


@given(st.integers(100, 599), st.binary(max_size=300))
def test_any_answer_is_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), now=1.0)

    assert isinstance(result, Sent) or len(result.detail) <= LONGEST_DETAIL


@pytest.mark.parametrize("text", ["Halo {name}", "{VAR1}", "a {var12} b"])
def test_text_that_fonnte_would_alter_is_refused(text: str) -> None:
    result = FonnteProvider(SecretStr("t"), "http://127.0.0.1:0").send(Outgoing("id", "+6281234567890", text))

    assert seen(result) == ("rejected", "placeholder")


@pytest.mark.parametrize("text", ["{nama}", "{}", "{var}", "name", "{ name }"])
def test_text_that_fonnte_leaves_alone_is_not_refused(text: str) -> None:
    assert refuse(Outgoing("id", "+6281234567890", text)) is None


def test_token_is_not_shown_by_repr() -> None:
    assert "s3cr3t" not in repr(vars(FonnteProvider(SecretStr("s3cr3t"))))


@pytest.mark.parametrize("device", [SENDER, int(SENDER), f"+{SENDER}", f"0{SENDER[2:]}"])
def test_own_device_proves_a_webhook(device: object) -> None:
    assert READER.verify(posted({"device": device}), [SECRET], LANE, NOW)


@pytest.mark.parametrize("device", ["", None, True, "628999", SENDER[:-1], [SENDER], {"a": SENDER}, "\ud800"])
def test_other_devices_prove_nothing(device: object) -> None:
    assert not READER.verify(posted({"device": device, "sender": SENDER}), [SECRET], LANE, NOW)


def test_nothing_is_proved_without_a_secret_or_a_sender() -> None:
    assert not READER.verify(posted({"device": SENDER}), [], LANE, NOW)
    assert not READER.verify(posted({"device": SENDER}), [""], LANE, NOW)
    assert not READER.verify(posted({"device": ""}), [SECRET], lane_of("fonnte", sender=None), NOW)
    assert not READER.verify(posted(b""), [SECRET], lane_of("fonnte", sender=""), NOW)


def status(**fields: object) -> dict[str, object]:
    return {"device": SENDER} | fields


def test_first_call_bears_both_names_of_the_message_and_later_ones_the_second() -> None:
    first = status(id="80367170", stateid="4F2A", status="sent")
    later = status(stateid="4F2A", state="delivered")

    assert told(READER, first, LANE) == (
        DeliveryReceipt(status=ReceiptStatus.SENT, provider_id="80367170", alias="stateid:4F2A"),
    )
    assert told(READER, later, LANE) == (DeliveryReceipt(status=ReceiptStatus.DELIVERED, provider_id="stateid:4F2A"),)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Pending", ReceiptStatus.ACCEPTED),
        ("processing", ReceiptStatus.ACCEPTED),
        ("waiting", ReceiptStatus.ACCEPTED),
        ("Sent", ReceiptStatus.SENT),
        ("delivered", ReceiptStatus.DELIVERED),
        ("READ ", ReceiptStatus.READ),
    ],
)
def test_statuses(word: str, expected: ReceiptStatus) -> None:
    assert told(READER, status(id=80367170, status=word), LANE) == (
        DeliveryReceipt(status=expected, provider_id="80367170"),
    )


@pytest.mark.parametrize(
    ("word", "failure_class", "code"),
    [
        ("invalid", FailureClass.REJECTED, "not-on-whatsapp"),
        ("expired", FailureClass.REJECTED, "expired-at-provider"),
        ("failed", FailureClass.REJECTED, "send-failed"),
        ("Url unreachable", FailureClass.TRANSIENT, "send-failed"),
    ],
)
def test_failures(word: str, failure_class: FailureClass, code: str) -> None:
    (receipt,) = told(READER, status(id="1", status=word), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert (receipt.status, receipt.failure_class, receipt.code) == (ReceiptStatus.FAILED, failure_class, code)


def test_the_further_of_two_words_counts() -> None:
    (receipt,) = told(READER, status(id="1", status="sent", state="read"), LANE)

    assert isinstance(receipt, DeliveryReceipt)
    assert receipt.status is ReceiptStatus.READ


@pytest.mark.parametrize(
    "fields", [{"id": "1", "status": "dreaming"}, {"stateid": "1"}, {"id": ["x"], "status": "sent"}]
)
def test_unknown_status_is_kept(fields: dict[str, object]) -> None:
    assert is_kept(told(READER, status(**fields), LANE))


def test_device_is_followed_and_its_token_kept_nowhere() -> None:
    gone = status(status="disconnect", token="t0k3n-t0k3n", timestamp=1_764_000_000, reason="logout t0k3n-t0k3n 628114")

    assert told(READER, gone, LANE) == (
        SessionNotice(state=SessionState.DISCONNECTED, at=1_764_000_000, detail="logout … 628114"),
    )
    assert told(READER, status(status="connect", token="t0k3n"), LANE) == (SessionNotice(state=SessionState.CONNECTED),)
    for odd in (status(status="dreaming", token="t0k3n"), status(id="1", status="dreaming", Token="t0k3n")):
        events = told(READER, odd, LANE)
        assert is_kept(events)
        assert "t0k3n" not in repr(events)


def test_inbound() -> None:
    said = status(sender="6281234567890", message="STOP", name="Budi", inboxid="77", timestamp=1_764_000_000)

    assert told(READER, said, LANE) == (
        InboundMessage(recipient="+6281234567890", provider_id="77", at=1_764_000_000, text="STOP"),
    )
    assert told(READER, said | {"member": "628999"}, LANE) == ()
    (button,) = told(READER, said | {"text": "Ya"}, LANE)
    assert isinstance(button, InboundMessage)
    assert (button.kind, button.text) == ("button", "Ya")


def test_form_is_read_as_well_as_json() -> None:
    fields = urlencode({"device": SENDER, "sender": "6281234567890", "message": "Halo & 😀"}).encode()
    request = posted(fields, Content_Type="application/x-www-form-urlencoded; charset=utf-8")

    assert READER.verify(request, [SECRET], LANE, NOW)
    (message,) = READER.read(request, LANE, NOW)
    assert isinstance(message, InboundMessage)
    assert message.text == "Halo & 😀"


def test_message_without_a_name_has_one_of_its_own_where_it_has_a_time() -> None:
    def name_of(**fields: object) -> str:
        (message,) = told(READER, status(sender="6281234567890", **fields), LANE)
        assert isinstance(message, InboundMessage)
        return message.provider_id

    assert name_of(message="ya", timestamp=1) == name_of(message="ya", timestamp=1)
    assert name_of(message="ya", timestamp=1) != name_of(message="ya", timestamp=2)
    assert name_of(message="ya") == ""


EVENTS = (
    status(id="1", stateid="2", status="sent", state="read", timestamp=1),
    status(status="disconnect", token="t0k3n", reason="x", timestamp=1),
    status(sender="6281234567890", message="x", text="y", inboxid="1", timestamp=1, type="text"),
)


@given(BODIES | spoiled(*EVENTS))
def test_any_bytes_are_read_without_an_exception(body: bytes) -> None:
    for content_type in ("application/json", "application/x-www-form-urlencoded"):
        request = posted(body, Content_Type=content_type)
        READER.verify(request, [SECRET], LANE, NOW)
        for read in READER.read(request, LANE, NOW):
            json.dumps(reported(read, lane="l", provider="p", sender="s", at=NOW, source="s").details, allow_nan=False)


@pytest.mark.parametrize("own", [{"timestamp": 1}, {"inboxid": "7"}, {"id": "8"}, {"stateid": "4F2A"}, {}])
def test_only_what_has_a_time_or_a_name_can_be_known_again(own: dict[str, object]) -> None:
    request = posted({"device": SENDER, "sender": "6281234567890", "message": "STOP"} | own)
    assert bool(READER.repeat_key(request)) == bool(own)
