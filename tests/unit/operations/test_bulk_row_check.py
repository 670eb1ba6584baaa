from datetime import UTC, datetime, timedelta

import pytest

from antrian.domain.priority import Priority
from antrian.operations.bulk_import.row import Refusal, Row
from antrian.operations.bulk_import.row_check import Defaults, RowCheck
from publisher.request import MessageRequest

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
RIGHT = {"phone_number": "0812-3456-7890", "message": "Halo"}


def checked(lanes=("default",), usual_lane="default", **fields):
    check = RowCheck(lanes, Defaults(usual_lane, "import", Priority.LOW), NOW)
    return check.request(Row(7, fields))


def reasons(found) -> dict[str, str]:
    assert all(isinstance(one, Refusal) and one.line == 7 for one in found)
    return {one.field: one.reason for one in found}


def test_what_a_row_does_not_say_is_filled_in_and_the_number_gets_its_one_spelling():
    assert checked(**RIGHT) == MessageRequest(
        phone_number="+6281234567890", message="Halo", priority=Priority.LOW, lane="default", source="import"
    )


def test_what_a_row_says_wins():
    request = checked(
        lanes=("default", "other"),
        **RIGHT,
        priority="HIGH",
        lane="other",
        source="payment",
        idempotency_key="k1",
        deliver_at="+5m",
        expires_at="2026-01-31T20:00:00+07:00",
        metadata={"invoice": 17},
    )
    assert (request.priority, request.lane, request.source) == (Priority.HIGH, "other", "payment")
    assert (request.idempotency_key, request.metadata) == ("k1", {"invoice": 17})
    assert request.deliver_at == NOW + timedelta(minutes=5)
    assert request.expires_at == NOW + timedelta(hours=1)


def test_a_null_says_nothing():
    assert checked(**RIGHT, priority=None, lane=None, metadata=None) == checked(**RIGHT)


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"phone_number": "0812"}, "phone_number", "this is too short for an Indonesian mobile number"),
        ({"phone_number": "81234567890.0"}, "phone_number", "a program turned this number into a decimal"),
        ({"phone_number": 81234567890}, "phone_number", "must be text"),
        ({"phone_number": None}, "phone_number", "is missing"),
        ({"message": None}, "message", "is missing"),
        ({"message": " "}, "message", "is blank"),
        ({"message": "x" * 5_000}, "message", "is too long"),
        ({"message": "half \ud83d"}, "message", "contains half of a surrogate pair"),
        ({"priority": "highest"}, "priority", "low, normal, high or urgent"),
        ({"priority": True}, "priority", "must be text"),
        ({"lane": "nowhere"}, "lane", "there is no lane 'nowhere'; the lanes are: default"),
        ({"source": "two\nlines"}, "source", "control characters"),
        ({"idempotency_key": "x" * 201}, "idempotency_key", "is too long"),
        ({"deliver_at": "tomorrow"}, "deliver_at", "'tomorrow' is not a time: write +5m"),
        ({"deliver_at": "2026-01-31T17:00"}, "deliver_at", "offset from UTC"),
        ({"deliver_at": "+400d"}, "deliver_at", "is more than 194 days ahead"),
        ({"expires_at": "2026-01-31T12:00:00Z"}, "expires_at", "would expire before it may be sent"),
        ({"expires_at": "+1h", "deliver_at": "+2h"}, "expires_at", "would expire before it may be sent"),
        ({"metadata": [1]}, "metadata", "must be a JSON object"),
        ({"metadata": {"a": [1]}}, "metadata", "text, numbers, booleans and null"),
        ({"metadata": {"a": float("nan")}}, "metadata", "text, numbers, booleans and null"),
    ],
    ids=str,
)
def test_a_wrong_field_is_named_with_its_reason(fields, field, reason):
    found = reasons(checked(**RIGHT | fields))
    assert list(found) == [field]
    assert reason in found[field]


def test_everything_that_is_wrong_is_found_at_once():
    found = checked(phone_number="0812", priority="x", deliver_at="x", lane="x", source="\n", metadata=7)
    assert set(reasons(found)) == {
        "phone_number",
        "message",
        "priority",
        "deliver_at",
        "lane",
        "source",
        "metadata",
    }


def test_of_several_lanes_one_must_be_named():
    lanes = ("default", "other")
    assert reasons(checked(lanes, None, **RIGHT)) == {"lane": "is missing; the lanes are: default, other"}
    assert checked(lanes, None, **RIGHT, lane="other").lane == "other"


def test_a_row_that_could_not_be_read_is_wrong_as_a_whole():
    check = RowCheck(("default",), Defaults("default", "import"), NOW)
    assert check.request(Row(7, problems={"": "is not JSON"})) == [Refusal(7, "", "is not JSON")]


def test_a_reason_does_not_repeat_a_whole_text():
    assert len(reasons(checked(**RIGHT, deliver_at="x" * 4_000))["deliver_at"]) <= 200
