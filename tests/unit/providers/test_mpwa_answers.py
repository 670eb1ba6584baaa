import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Sent
from antrian.providers.http import Answer
from antrian.providers.mpwa.answers import DOUBTFUL, classify, is_connected, reconsider
from antrian.providers.redaction import LONGEST_DETAIL

AMBIGUOUS = "The destination Number not registered in WhatsApp or your sender not connected"

BY_TEXT = [
    ("Invalid api_key or sender,please check again", "unavailable", "bad-credentials"),
    ("Invali api_key or sender,please check again (2)", "unavailable", "bad-credentials"),
    ("INVALID API KEY!", "unavailable", "bad-credentials"),
    ("Unauthorized", "unavailable", "bad-credentials"),
    ("The sender is invalid or disconnected.", "unavailable", "sender-disconnected"),
    ("Your device is not connected", "unavailable", "sender-disconnected"),
    (
        "You do not have permission to use this feature, Please purchase/upgrade your plan",
        "unavailable",
        "plan-exhausted",
    ),
    ("You no longer have enough messages, recharge your message counter", "unavailable", "plan-exhausted"),
    ("Subscription expired!", "unavailable", "plan-exhausted"),
    ("Invalid parameters!", "rejected", "invalid-fields"),
    ("Invalid parameters, please check your input!", "rejected", "invalid-fields"),
    ("Invalid data!", "rejected", "invalid-fields"),
    ("Check your parameter", "rejected", "invalid-fields"),
    ("Failed to send message!", "transient", "send-failed"),
    ("FAILED TO SEND MESSAGE!", "transient", "send-failed"),
    ("Check your whatsapp connection", "transient", "send-failed"),
    ("Failed to send message!, Check your connection!", "uncertain", "answer-lost"),
    (AMBIGUOUS, "transient", "unregistered-or-disconnected"),
    ("The number is not registered on WhatsApp", "rejected", "not-on-whatsapp"),
    ("Number does not exist on WhatsApp", "rejected", "not-on-whatsapp"),
    ("Nomor tidak terdaftar di WhatsApp", "rejected", "not-on-whatsapp"),
    ("You have 463 messages left on your plan", "unavailable", "plan-exhausted"),
]


COLD = [
    "server returned error 463",
    "Failed to send message! server returned error 463",
    "2 UNKNOWN: o servidor retornou o erro 463",
    "Message rejected (error code: 463)",
    "enforcement RESTRICT_ALL_COMPANIONS is active",
    "Reach-out time-lock is active for this account",
    "NackCallerReachoutTimelocked",
    "new chat limit reached",
    "You have reached the new_chat message cap",
    "Your account has been restricted",
]


@pytest.mark.parametrize("text", COLD)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_refusal_of_new_contacts_is_told_from_all_others(text: str, status: int) -> None:
    result = classify(mpwa(status, status=False, msg=text))

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == (FailureClass.COLD_REFUSED, "new-contact-refused")


@pytest.mark.parametrize(
    ("fields", "wait"),
    [
        ({}, None),
        ({"reachoutTimeLock": {"isActive": True, "timeEnforcementEnds": "2025-11-24T16:01:30.000Z"}}, 90),
        ({"data": [{"time_enforcement_ends": 1_764_000_090}]}, 90),
        ({"timeEnforcementEnds": 1_764_000_090_000}, 90),
        ({"timeEnforcementEnds": "1764000090"}, 90),
        ({"timeEnforcementEnds": "2025-11-24T13:01:30-03:00"}, 90),
        ({"timeEnforcementEnds": "2025-11-24T16:01:30"}, None),
        ({"timeEnforcementEnds": 1_763_999_999}, None),
        ({"timeEnforcementEnds": True}, None),
        ({"timeEnforcementEnds": None}, None),
        ({"timeEnforcementEnds": "9999-01-01T00:00:00Z"}, 30 * 86_400),
        ({"timeEnforcementEnds": 10**400}, None),
        ({"timeEnforcementEnds": "nan"}, None),
    ],
)
def test_end_that_is_stated_becomes_the_wait(fields: dict[str, object], wait: float | None) -> None:
    answer = mpwa(500, status=False, msg="server returned error 463", **fields)
    result = classify(answer, now=1_764_000_000.0)

    assert isinstance(result, Failed)
    assert result.retry_after == wait


def mpwa(http: int, /, **fields: object) -> Answer:
    return Answer(http, json.dumps(fields).encode())


@pytest.mark.parametrize(("text", "failure_class", "code"), BY_TEXT)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("field", ["msg", "message"])
def test_text_decides_whatever_the_status_and_the_field_it_stands_in(
    text: str, failure_class: str, code: str, status: int, field: str
) -> None:
    result = classify(mpwa(status, status=False, **{field: text}))

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == (failure_class, code)


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ("Invalid api_key or sender, please check again", "bad-credentials"),
        ({"sender": ["The sender is invalid or disconnected."]}, "sender-disconnected"),
        ({"message": ["The message field is required."]}, "invalid-fields"),
        ([[[["Subscription expired"]]]], "invalid-fields"),
        (17, "invalid-fields"),
    ],
)
def test_older_forks_say_what_is_wrong_in_errors(errors: object, code: str) -> None:
    result = classify(mpwa(400, status=False, msg="Invalid data!", errors=errors))

    assert isinstance(result, Failed)
    assert result.code == code


@pytest.mark.parametrize(
    ("status", "body", "failure_class", "code"),
    [
        (400, b'{"status":false,"msg":"Nobody has read this before"}', "rejected", "unrecognised"),
        (422, b'{"message":"Nobody has read this before"}', "rejected", "unrecognised"),
        (400, b"{}", "unavailable", "refused-by-web-server"),
        (400, b"<h1>Bad Request</h1>", "unavailable", "refused-by-web-server"),
        (403, b"<h1>Forbidden</h1>", "unavailable", "refused-by-web-server"),
        (404, b'{"message":"The route send-message could not be found."}', "unavailable", "refused-by-web-server"),
        (413, b"<h1>Request Entity Too Large</h1>", "rejected", "too-large"),
        (429, b'{"message":"Too Many Attempts."}', "throttled", "throttled"),
        (429, b'{"status":false,"msg":"Failed to send message!"}', "throttled", "throttled"),
        (429, b"", "throttled", "throttled"),
        (301, b"", "unavailable", "redirected"),
        (302, b"<html>login</html>", "unavailable", "redirected"),
        (500, b'{"message":"Server Error"}', "uncertain", "unclear-answer"),
        (502, b"<h1>Bad Gateway</h1>", "uncertain", "gateway-error"),
        (503, b"<h1>Service Unavailable</h1>", "unavailable", "provider-down"),
        (503, b'{"message":"Service Unavailable"}', "unavailable", "provider-down"),
        (504, b"", "uncertain", "gateway-error"),
        (200, b"", "uncertain", "unclear-answer"),
        (200, b"<html>ok</html>", "uncertain", "unclear-answer"),
        (200, b'{"status":false}', "uncertain", "unclear-answer"),
        (200, b'{"status":false,"msg":"Nobody has read this before"}', "uncertain", "unclear-answer"),
        (200, b'{"status":1}', "uncertain", "unclear-answer"),
        (200, b"[true]", "uncertain", "unclear-answer"),
        (200, b'{"status":true', "uncertain", "unclear-answer"),
        (400, b'{"status":true}', "uncertain", "contradiction"),
        (503, b'{"status":true}', "uncertain", "contradiction"),
        (200, b"[" * 100_000, "uncertain", "unclear-answer"),
        (200, b"\xff\xfe\x00\xd8", "uncertain", "unclear-answer"),
    ],
)
def test_status_decides_where_no_text_is_known(status: int, body: bytes, failure_class: str, code: str) -> None:
    result = classify(Answer(status, body))

    assert isinstance(result, Failed)
    assert (result.failure_class, result.code) == (failure_class, code)


@pytest.mark.parametrize(
    ("fields", "provider_id"),
    [
        ({"status": True, "msg": "Message sent successfully!"}, None),
        ({"status": "true"}, None),
        ({"status": True, "data": {"key": {"remoteJid": "62811@c.us", "fromMe": True, "id": "3EB0AB"}}}, "3EB0AB"),
        ({"status": True, "data": {"key": {"id": 17}}}, None),
        ({"status": True, "data": {"key": {"id": ""}}}, None),
        ({"status": True, "data": {"key": {"id": "x" * 129}}}, None),
        ({"status": True, "data": {"key": {"id": "a\nb"}}}, None),
        ({"status": True, "data": {"key": None}}, None),
        ({"status": True, "data": False}, None),
        ({"status": True, "message": "Failed to send message!"}, None),
    ],
)
def test_sent_carries_the_whatsapp_id_if_there_is_one(fields: dict[str, object], provider_id: str | None) -> None:
    assert classify(mpwa(200, **fields)) == Sent(provider_id)


def test_retry_after_is_handed_on() -> None:
    result = classify(Answer(429, b"", retry_after=7.0))

    assert isinstance(result, Failed)
    assert result.retry_after == 7.0


def test_detail_holds_the_providers_words_without_number_text_and_key() -> None:
    words = "No way for 6281234567890 (+62 812-3456-7890), key s3cr3t-key, text Kode OTP: 4411,\n sorry"
    result = classify(mpwa(400, status=False, msg=words), private=["s3cr3t-key", "Kode OTP:  4411"])

    assert isinstance(result, Failed)
    assert result.detail == "No way for … (…), key …, text …, sorry"


def test_detail_is_cut_to_its_length() -> None:
    result = classify(mpwa(400, status=False, msg="so long " * 100))

    assert isinstance(result, Failed)
    assert len(result.detail) == LONGEST_DETAIL


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
known_fields = st.sampled_from(["status", "msg", "message", "errors", "data", "key", "id", "exists"])


@given(
    status=st.integers(100, 999),
    body=st.binary(max_size=200)
    | st.dictionaries(known_fields, json_values).map(lambda value: json.dumps(value).encode()),
)
def test_any_answer_gets_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), private=["secret"])

    assert isinstance(result, Sent) or (result.detail and len(result.detail) <= LONGEST_DETAIL)
    assert is_connected(Answer(status, body)) in (True, False, None)


DOUBTS = {
    "send-failed": FailureClass.TRANSIENT,
    "unregistered-or-disconnected": FailureClass.TRANSIENT,
    "unrecognised": FailureClass.REJECTED,
    "refused-by-web-server": FailureClass.UNAVAILABLE,
}


def test_every_doubt_is_in_the_table() -> None:
    assert set(DOUBTS) == DOUBTFUL


@pytest.mark.parametrize("code", sorted(DOUBTFUL))
def test_disconnected_sender_is_no_fault_of_the_message(code: str) -> None:
    result = reconsider(Failed(DOUBTS[code], code, "words"), connected=False)

    assert result == Failed(FailureClass.UNAVAILABLE, "sender-disconnected", "words")


@pytest.mark.parametrize("code", sorted(DOUBTFUL))
def test_nothing_changes_when_nobody_can_tell(code: str) -> None:
    failed = Failed(DOUBTS[code], code, "words")

    assert reconsider(failed, connected=None) == failed


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("send-failed", (FailureClass.TRANSIENT, "send-failed")),
        ("unregistered-or-disconnected", (FailureClass.REJECTED, "not-on-whatsapp")),
        ("unrecognised", (FailureClass.REJECTED, "unrecognised")),
        ("refused-by-web-server", (FailureClass.REJECTED, "refused-by-web-server")),
    ],
)
def test_connected_sender_leaves_the_message_to_blame(code: str, expected: tuple[FailureClass, str]) -> None:
    result = reconsider(Failed(DOUBTS[code], code, "words"), connected=True)

    assert (result.failure_class, result.code) == expected


@pytest.mark.parametrize(
    ("status", "fields", "connected"),
    [
        (200, {"status": True, "data": {"jid": "62811@s.whatsapp.net", "exists": True}}, True),
        (200, {"status": True, "msg": {"jid": "62811@s.whatsapp.net", "exists": True}}, True),
        (200, {"status": True, "data": True}, True),
        (200, {"status": True, "msg": False}, False),
        (200, {"status": True, "data": False}, False),
        (200, {"status": True, "data": {"exists": False}}, None),
        (200, {"status": True}, None),
        (400, {"status": False, "msg": "Failed to check number!,check your connection!"}, None),
        (404, {"message": "not found"}, None),
    ],
)
def test_check_of_the_senders_own_number_tells_whether_it_is_connected(
    status: int,
    fields: dict[str, object],
    connected: bool | None,  # noqa: FBT001 (from the table)
) -> None:
    assert is_connected(mpwa(status, **fields)) is connected
