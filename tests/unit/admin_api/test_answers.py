"""Viewers see no number, wherever somebody wrote one."""

import base64

import pytest
from desk_records import dead_record, entry, record

from admin_api.presenters import failed_group, failed_item, life_item, message_item
from antrian.domain.private_text import DOTS, hide_address, hide_numbers
from antrian.history.queries.term import Fit, Kind, meanings
from antrian.history.records import DeadGroup

WORDS = "call +62 812-3456-7890 after 12:30"


@pytest.mark.parametrize(
    "number",
    [
        "+6281234567890",
        "0812 3456 7890",
        "(62)812.345.678",
        "081234567890",
        "0812\u20133456\u20137890",
        "0812\u200b3456\u200b7890",
        "0812/3456/7890",
        "0812_3456_7890",
    ],
)
def test_free_text_shows_no_number(number):
    assert "345" not in hide_numbers(f"call {number} please")


def test_free_text_keeps_its_small_numbers():
    assert hide_numbers("HTTP 503 after 30.5 s, attempt 2 of 3") == "HTTP 503 after 30.5 s, attempt 2 of 3"


@pytest.mark.parametrize(
    "shown",
    [
        lambda masked: message_item(record(detail=WORDS), masked=masked).detail,
        lambda masked: failed_item(dead_record(detail=WORDS), masked=masked).detail,
        lambda masked: failed_item(dead_record(note=WORDS), masked=masked).note,
        lambda masked: failed_group(DeadGroup("rejected", "x", WORDS, 1, 0.0, 0.0), masked=masked).detail,
        lambda masked: life_item(entry("outcome.failed", detail=WORDS), masked=masked).details["detail"],
        lambda masked: life_item(entry("outcome.dead", reason=WORDS), masked=masked).details["reason"],
    ],
)
def test_numbers_in_free_text_are_for_operators(shown):
    assert shown(masked=False) == WORDS
    assert shown(masked=True) == f"call {DOTS} after 12:30"


def test_a_providers_id_with_the_number_in_it_is_covered_and_not_found_by_its_beginning():
    named, plain = "true_6281234567890@c.us_3EB0", "3EB0123456789"
    for shown in (
        lambda given: message_item(record(provider_id=given), masked=True).provider_id,
        lambda given: life_item(entry("outcome.sent", provider_id=given), masked=True).details["provider_id"],
    ):
        assert (shown(named), shown(plain)) == (f"true_{DOTS}@c.us_3EB0", plain)
    assert message_item(record(provider_id=named), masked=False).provider_id == named
    fits = [one.fit for one in meanings("true_62812345", covered=True) if one.kind is Kind.PROVIDER_ID]
    assert fits == [Fit.WHOLE]


@pytest.mark.parametrize("number", ["628123", "6281234567890", "628123456789012"])
def test_an_id_of_metas_does_not_tell_the_number_that_is_in_it(number):
    written = bytes([0x1C, 0x18, len(number)]) + number.encode() + b"\x15\x02\x00\x11\x18\x12" + b"9A3F" * 5 + b"\x00"
    hidden = hide_address(f"wamid.{base64.b64encode(written).decode()}")
    left = hidden.partition(DOTS)[2]
    decoded = base64.b64decode(left[-(len(left) // 4 * 4) :], validate=False)
    assert number[-3:].encode() not in decoded
    assert len(left) >= 8
    assert hide_address("wamid.short") == f"wamid.{DOTS}"
