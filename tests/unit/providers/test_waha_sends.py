import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Outgoing, Sent
from antrian.providers.http import Answer
from antrian.providers.redaction import LONGEST_DETAIL
from antrian.providers.waha.answers import classify
from antrian.providers.waha.client import WahaProvider
from antrian.providers.waha.payload import bare_id, is_sent_id, send_text, sent_id

ATTEMPT = "0192f0c4-0000-7000-8000-000000000000:0:1"


def answer(status: int, /, **fields: object) -> Answer:
    return Answer(status, json.dumps(fields).encode())


def seen(result: object) -> tuple[str, str]:
    assert isinstance(result, Failed)
    return (str(result.failure_class), result.code)


def test_request_is_that_of_the_openapi_file() -> None:
    outgoing = Outgoing("id", "+6281234567890", "Halo", correlation_id=ATTEMPT)

    assert send_text("default", outgoing) == {
        "session": "default",
        "chatId": "6281234567890@c.us",
        "text": "Halo",
        "id": sent_id(ATTEMPT),
    }


def test_no_id_is_chosen_where_nobody_asks_for_receipts() -> None:
    assert "id" not in send_text("default", Outgoing("id", "+6281234567890", "Halo"))


def test_id_of_an_attempt_is_the_same_in_every_process_and_of_no_other_attempt() -> None:
    assert sent_id(ATTEMPT) == "3EB0A79C13BF5A87B696FE"
    assert is_sent_id(sent_id(ATTEMPT))
    assert len({sent_id(f"{message}:{attempt}") for message in range(100) for attempt in range(100)}) == 10_000
    assert WahaProvider("http://127.0.0.1:0", SecretStr("k")).echoed_id(ATTEMPT) == sent_id(ATTEMPT)


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("true_6281234567890@c.us_3EB0A7", "3EB0A7"),
        ("true_1234@lid_3EB0A7", "3EB0A7"),
        ("false_12-34@g.us_3EB0A7_6281234567890@c.us", "3EB0A7"),
        ("3EB0A7", "3EB0A7"),
        ("6281234567890@c.us", ""),
        ("true_6281234567890@c.us_", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ("x" * 129, ""),
    ],
)
def test_whatsapps_own_id_is_found_without_the_address(written: object, bare: str) -> None:
    assert bare_id(written) == bare


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "true_6281234567890@c.us_3EB0A7", "timestamp": 1, "ack": 0},
        {"id": {"fromMe": True, "remote": "6281234567890@c.us", "id": "3EB0A7"}},
        {"key": {"remoteJid": "6281234567890@s.whatsapp.net", "fromMe": True, "id": "3EB0A7"}, "status": "PENDING"},
    ],
)
def test_each_engine_of_waha_names_the_message_in_its_own_way(fields: dict[str, object]) -> None:
    assert classify(answer(201, **fields)) == Sent("3EB0A7")


FAILURES = [
    (401, {"message": "Unauthorized"}, ("unavailable", "bad-credentials")),
    (403, {"message": "Forbidden resource"}, ("unavailable", "bad-credentials")),
    (404, {"message": 'Session "x" does not exist'}, ("unavailable", "session-not-found")),
    (404, {"message": "Cannot POST /waha/api/sendText"}, ("unavailable", "refused-by-web-server")),
    (400, {"message": ["chatId must be a string"]}, ("rejected", "invalid-fields")),
    (422, {"message": "The number is not registered on WhatsApp"}, ("rejected", "not-on-whatsapp")),
    (500, {"exception": {"message": "failed to get device list: timed out"}}, ("transient", "send-failed")),
    (422, {"message": "text is too long"}, ("rejected", "invalid-fields")),
    (500, {"statusCode": 500, "exception": {"message": "Evaluation failed"}}, ("uncertain", "error-while-sending")),
    (
        500,
        {"exception": {"message": "2 UNKNOWN: server returned error 463", "code": 2}},
        ("cold_refused", "new-contact-refused"),
    ),
    (500, {"exception": {"details": "o servidor retornou o erro 463"}}, ("cold_refused", "new-contact-refused")),
    (201, {}, ("uncertain", "unclear-answer")),
    (201, {"error": "something"}, ("uncertain", "unclear-answer")),
    (413, {}, ("rejected", "too-large")),
    (429, {}, ("throttled", "throttled")),
    (429, {"status": "STOPPED", "expected": ["WORKING"]}, ("throttled", "throttled")),
    (502, {}, ("uncertain", "gateway-error")),
    (503, {}, ("unavailable", "provider-down")),
    (504, {}, ("uncertain", "gateway-error")),
    (301, {}, ("unavailable", "redirected")),
    (418, {}, ("unavailable", "refused-by-web-server")),
    (599, {}, ("uncertain", "unclear-answer")),
]


@pytest.mark.parametrize(("status", "fields", "expected"), FAILURES)
def test_failures(status: int, fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert seen(classify(answer(status, **fields))) == expected


@pytest.mark.parametrize(
    ("state", "code", "to_do"),
    [
        ("SCAN_QR_CODE", "session-scan-qr", "scan it"),
        ("STOPPED", "session-stopped", "start it"),
        ("FAILED", "session-failed", "restart it"),
        ("STARTING", "session-starting", "nothing is to be done"),
        ("PASSKEY_REQUIRED", "session-passkey", "confirm it"),
        ("PASSKEY_CONFIRMATION_REQUIRED", "session-passkey", "confirm it"),
        ("DREAMING", "session-not-working", "look at it"),
        (None, "session-not-working", "look at it"),
    ],
)
def test_session_that_does_not_work_says_what_to_do(state: object, code: str, to_do: str) -> None:
    fields = {"error": "Session status is not as expected. Try again later", "session": "x", "expected": ["WORKING"]}
    result = classify(answer(422, **fields, status=state))

    assert seen(result) == ("unavailable", code)
    assert isinstance(result, Failed)
    assert to_do in result.detail


def test_stated_end_of_a_refusal_is_waited_for() -> None:
    fields = {"exception": {"message": "server returned error 463"}, "timeEnforcementEnds": 1_764_000_090}
    result = classify(answer(500, **fields), now=1_764_000_000)

    assert isinstance(result, Failed)
    assert result.retry_after == 90


def test_detail_repeats_nothing_private() -> None:
    said = "cannot send 'Kode 4411' to 6281234567890@c.us with k3y-k3y"
    result = classify(answer(500, exception={"message": said}), ("k3y-k3y", "Kode 4411", "6281234567890"))

    assert isinstance(result, Failed)
    assert "cannot send" in result.detail
    assert not [secret for secret in ("4411", "81234567890", "k3y") if secret in result.detail]


@given(st.integers(100, 599), st.binary(max_size=300) | st.just(b"[" * 10_000) | st.just(b'{"id": 1e999}'))
def test_any_answer_is_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), now=1.0)

    assert isinstance(result, Sent) or len(result.detail) <= LONGEST_DETAIL


@pytest.mark.parametrize("recipient", ["6281234567890", "+62812x", "12345@g.us", ""])
def test_refused_recipient_makes_no_call(recipient: str) -> None:
    result = WahaProvider("http://127.0.0.1:0", SecretStr("k")).send(Outgoing("id", recipient, "Halo"))

    assert seen(result) == (FailureClass.REJECTED, "bad-recipient")


@pytest.mark.parametrize("key", ["", "a\nb", "ключ", " k"])
def test_key_that_no_header_can_carry_is_an_outage(key: str) -> None:
    result = WahaProvider("http://127.0.0.1:0", SecretStr(key)).send(Outgoing("id", "+6281234567890", "Halo"))

    assert seen(result) == ("unavailable", "bad-credentials")


def test_key_is_not_shown_by_repr() -> None:
    assert "s3cr3t" not in repr(vars(WahaProvider("http://127.0.0.1:0", SecretStr("s3cr3t"))))
