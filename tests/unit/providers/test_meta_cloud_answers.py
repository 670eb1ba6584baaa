import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed, Sent
from antrian.providers.http import Answer
from antrian.providers.meta_cloud.answers import MEANINGS, PAIR_WAIT, classify
from antrian.providers.redaction import LONGEST_DETAIL

REJECTED, TRANSIENT, UNAVAILABLE = FailureClass.REJECTED, FailureClass.TRANSIENT, FailureClass.UNAVAILABLE

#: Meta's codes by what may be done about them, written down a second time.
CLASSES = {
    TRANSIENT: {1, 2, 131000, 131016},
    FailureClass.THROTTLED: {4, 80007, 130429},
    FailureClass.RECIPIENT_BUSY: {131056},
    UNAVAILABLE: {0, 3, 10, 190, *range(200, 300), 131005}
    | {33, 368, 131031, 131037, 131042, 131044, 131045, 131048, 131057, 131063, 131064, 133010, 133016, 139200},
    REJECTED: {100, 131008, 131009, 131021, 131026, 131030, 131047, 131049, 131050, 131051, 131052, 131053, 131062}
    | {130403, 130472, 130497, 135000, 137000, 132068, 132069}
    | {132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016, 132018},
}


def error(status: int, code: object, message: str = "Nobody has read this before", **more: object) -> Answer:
    return Answer(status, json.dumps({"error": {"message": message, "type": "OAuth", "code": code, **more}}).encode())


def failed(answer: Answer, private: tuple[str, ...] = ()) -> Failed:
    result = classify(answer, private, now=1_764_000_000.0)
    assert isinstance(result, Failed)
    return result


def test_every_code_of_the_table_is_in_one_class_whatever_the_status() -> None:
    found: dict[FailureClass, set[int]] = {}
    for code in MEANINGS:
        classes = {failed(error(status, code)).failure_class for status in (400, 403, 429, 500, 503)}
        assert len(classes) == 1
        found.setdefault(classes.pop(), set()).add(code)

    assert found == CLASSES
    assert all(meaning.source and meaning.code.isascii() for meaning in MEANINGS.values())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (190, "bad-credentials"),
        (0, "bad-credentials"),
        (200, "bad-credentials"),
        (299, "bad-credentials"),
        (131047, "outside-window"),
        (131026, "undeliverable"),
        (131048, "spam-rate"),
        (131042, "payment-problem"),
        (131031, "account-locked"),
        (132015, "template-paused"),
    ],
)
def test_code_has_a_constant_of_ours_and_is_named_in_the_detail(code: int, expected: str) -> None:
    result = failed(error(400, code))

    assert (result.code, result.detail) == (expected, f"({code}) Nobody has read this before")


def test_codes_of_the_sender_are_told_apart() -> None:
    sender = [meaning.code for meaning in MEANINGS.values() if meaning.failure_class is UNAVAILABLE]

    assert len(set(sender)) == len(CLASSES[UNAVAILABLE]) - 103  # all of the key's but one are one


def test_only_the_recipient_waits_where_the_pair_is_too_fast() -> None:
    assert failed(error(400, 131056)).retry_after == PAIR_WAIT
    assert failed(Answer(400, error(400, 131056).body, retry_after=40.0)).retry_after == 40.0
    assert failed(Answer(429, error(429, 130429).body, retry_after=7.0)).retry_after == 7.0
    assert failed(error(429, 130429)).retry_after is None


@pytest.mark.parametrize(
    ("message", "failure_class", "code"),
    [
        ("(#100) Param text is wrong", REJECTED, "invalid-parameter"),
        (
            "Unsupported post request. Object with ID '10' does not exist, cannot be loaded due to missing permissions",
            UNAVAILABLE,
            "unknown-phone-number-id",
        ),
        ("Direct Send isn't enabled for this account.", UNAVAILABLE, "direct-send-disabled"),
    ],
)
def test_wrong_parameter_of_the_lane_is_no_fault_of_the_message(
    message: str, failure_class: FailureClass, code: str
) -> None:
    result = failed(error(400, 100, message))

    assert (result.failure_class, result.code) == (failure_class, code)


@pytest.mark.parametrize(
    ("answer", "failure_class", "code"),
    [
        (error(400, 999_999), "rejected", "unrecognised"),
        (error(404, None), "rejected", "unrecognised"),
        (error(400, 131047.0), "rejected", "unrecognised"),
        (error(400, "131047"), "rejected", "unrecognised"),
        (error(400, 999_999, is_transient=True), "transient", "server-error"),
        (error(429, 999_999), "throttled", "throttled"),
        (error(401, 999_999), "unavailable", "bad-credentials"),
        (error(500, 999_999), "transient", "server-error"),
        (error(400, 999_999, "server returned error 463"), "cold_refused", "new-contact-refused"),
        (error(400, 131047, "server returned error 463"), "rejected", "outside-window"),
        (error(302, 999_999), "unavailable", "redirected"),
        (error(200, 131047), "uncertain", "contradiction"),
        (Answer(500, b""), "uncertain", "gateway-error"),
        (Answer(502, b"<h1>Bad Gateway</h1>"), "uncertain", "gateway-error"),
        (Answer(503, b'{"status": "down"}'), "uncertain", "gateway-error"),
        (Answer(500, b'{"error": "text"}'), "uncertain", "gateway-error"),
        (Answer(301, b""), "unavailable", "redirected"),
        (Answer(404, b"<h1>Not Found</h1>"), "unavailable", "refused-by-web-server"),
        (Answer(401, b""), "unavailable", "bad-credentials"),
        (Answer(413, b""), "rejected", "too-large"),
        (Answer(429, b""), "throttled", "throttled"),
        (Answer(200, b""), "uncertain", "unclear-answer"),
        (Answer(200, b"<html>ok</html>"), "uncertain", "unclear-answer"),
        (Answer(200, b'{"messages": []}'), "uncertain", "unclear-answer"),
        (Answer(200, b'{"messages": [{"id": 17}]}'), "uncertain", "unclear-answer"),
        (Answer(200, b"[" * 100_000), "uncertain", "unclear-answer"),
        (Answer(100, b""), "uncertain", "unclear-answer"),
    ],
)
def test_status_decides_where_the_code_is_not_known(answer: Answer, failure_class: str, code: str) -> None:
    result = failed(answer)

    assert (result.failure_class, result.code) == (failure_class, code)
    assert result.detail


def test_accepted_message_has_metas_id() -> None:
    body = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+6281", "wa_id": "6281"}],
        "messages": [{"id": "wamid.HBgM", "message_status": "held_for_quality_assessment"}],
    }

    assert classify(Answer(200, json.dumps(body).encode())) == Sent("wamid.HBgM")


def test_detail_holds_metas_words_without_number_text_and_key() -> None:
    text = "Kode OTP:\n4411 " + "panjang " * 300
    words = f"No way for 6281234567890, key s3cr3t-key, Param text: {' '.join(text.split())} is wrong"
    result = failed(error(400, 131009, words, error_data={"details": words}), ("s3cr3t-key", text))

    assert result.detail == "(131009) No way for …, key …, Param text: … is wrong"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
fields = st.sampled_from(["error", "messages", "id", "code", "message", "error_data", "details", "is_transient"])
objects = st.dictionaries(fields, st.dictionaries(fields, json_values) | json_values).map(
    lambda value: json.dumps(value).encode()
)


@given(status=st.integers(100, 999), body=st.binary(max_size=200) | objects)
def test_any_answer_gets_a_result(status: int, body: bytes) -> None:
    result = classify(Answer(status, body), private=["secret"], now=0)

    assert isinstance(result, Sent) or (result.detail and len(result.detail) <= LONGEST_DETAIL)
