import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Sent
from antrian.providers.http import Answer
from antrian.providers.redaction import LONGEST_DETAIL
from antrian.providers.twilio.answers import LIMIT_WAIT, MEANINGS, classify

#: Twilio's codes by what may be done about them, written down a second time.
CLASSES = {
    FailureClass.TRANSIENT: {30001, 30003},
    FailureClass.UNCERTAIN: {30008},
    FailureClass.THROTTLED: {20429, 63017},
    FailureClass.UNAVAILABLE: {20003, 20403, 20404, 30002, 21730, 63038, 63007, 63018},
    FailureClass.REJECTED: {21211, 21408, 21610, 21614, 30004, 30005, 30006, 63003, 63014, 63024, 63032, 63049}
    | {21606, 21612, 21654, 21656, 21910, 30007, 63013, 63016, 63021},
}


def error(status: int, code: object, message: str = "Nobody has read this before") -> Answer:
    return Answer(status, json.dumps({"code": code, "message": message, "status": status}).encode())


def made(**fields: object) -> Answer:
    return Answer(201, json.dumps({"sid": "SM0a", "status": "queued", "error_code": None, **fields}).encode())


def failed(answer: Answer, private: tuple[str, ...] = ()) -> Failed:
    result = classify(answer, private, now=0.0)
    assert isinstance(result, Failed)
    return result


def test_every_code_of_the_table_is_in_one_class_whatever_the_status() -> None:
    found: dict[FailureClass, set[int]] = {}
    for code in MEANINGS:
        classes = {failed(error(status, code)).failure_class for status in (400, 403, 429, 500)}
        classes |= {failed(made(status="failed", error_code=code)).failure_class}
        assert len(classes) == 1
        found.setdefault(classes.pop(), set()).add(code)

    assert found == CLASSES
    assert all(meaning.source and meaning.code.isascii() for meaning in MEANINGS.values())


@pytest.mark.parametrize(
    ("answer", "failure_class", "code"),
    [
        (error(400, 63016), "rejected", "outside-window"),
        (error(401, 20003), "unavailable", "bad-credentials"),
        (error(400, 99_999), "rejected", "unrecognised"),
        (error(403, 99_999), "rejected", "unrecognised"),
        (error(401, 99_999), "unavailable", "bad-credentials"),
        (error(429, None), "throttled", "throttled"),
        (error(500, 99_999), "uncertain", "gateway-error"),
        (error(400, 99_999, "server returned error 463"), "cold_refused", "new-contact-refused"),
        (made(status="undelivered", error_code=99_999), "rejected", "unrecognised"),
        (made(sid=None), "uncertain", "unclear-answer"),
        (made(sid="SM 1"), "uncertain", "unclear-answer"),
        (Answer(200, b"<html>"), "uncertain", "unclear-answer"),
        (Answer(500, b""), "uncertain", "gateway-error"),
        (Answer(503, b"<html>"), "uncertain", "gateway-error"),
        (Answer(404, b"<html>"), "unavailable", "refused-by-web-server"),
        (Answer(400, b"[" * 100_000), "unavailable", "refused-by-web-server"),
        (Answer(302, b""), "unavailable", "redirected"),
        (Answer(413, b""), "rejected", "too-large"),
    ],
)
def test_code_decides_and_then_the_status(answer: Answer, failure_class: str, code: str) -> None:
    result = failed(answer)

    assert (result.failure_class, result.code) == (failure_class, code)
    assert result.detail


def test_wait_is_twilios_or_that_of_a_daily_limit() -> None:
    assert failed(Answer(429, error(429, 20429).body, retry_after=7.0)).retry_after == 7.0
    assert failed(error(429, 20429)).retry_after is None
    assert failed(error(400, 63018)).retry_after == LIMIT_WAIT


@pytest.mark.parametrize("status", ["queued", "accepted", "sent", None, ["failed"]])
def test_message_that_was_made_is_sent(status: object) -> None:
    assert classify(made(status=status)) == Sent("SM0a")


def test_detail_holds_twilios_words_without_number_text_and_key() -> None:
    words = "The 'To' number whatsapp:+6281234567890 is wrong, key s3cr3t-key, text Kode OTP 4411"

    assert failed(error(400, 21211, words), ("s3cr3t-key", "Kode OTP 4411")).detail == (
        "(21211) The 'To' number whatsapp:… is wrong, key …, text …"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(
    st.sampled_from(["sid", "status", "code", "message", "error_code", "error_message"]), json_values
).map(lambda value: json.dumps(value).encode())


@given(status=st.integers(100, 999), body=st.binary(max_size=200) | objects)
def test_any_answer_gets_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), private=["secret"], now=0)

    assert isinstance(result, Sent) or (result.detail and len(result.detail) <= LONGEST_DETAIL)
