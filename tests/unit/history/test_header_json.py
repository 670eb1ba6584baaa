from datetime import UTC, datetime
from decimal import Decimal

import pytest

from antrian.history.header_json import pack, pack_letter, unpack, unpack_letter

HEADERS = {
    "text": "x",
    "number": 3,
    "nothing": None,
    "flag": True,
    "bytes": b"\xff",
    "time": datetime(2026, 1, 31, tzinfo=UTC),
    "decimal": Decimal("1.5"),
    "list": [{"inner": b"\x00"}],
}


def test_headers_come_back_as_they_were():
    assert unpack(pack(HEADERS)) == HEADERS
    assert unpack_letter(pack_letter(b"\xff\x00", HEADERS)) == (b"\xff\x00", HEADERS)


def test_a_time_without_a_zone_is_utc_as_the_broker_has_it():
    assert unpack(pack({"at": datetime(2026, 1, 31)})) == {"at": datetime(2026, 1, 31, tzinfo=UTC)}  # noqa: DTZ001 (pika's)


@pytest.mark.parametrize("letter", [{}, {"body": 3, "headers": {}}, {"body": "*", "headers": {}}, {"body": ""}])
def test_what_is_no_letter_is_refused(letter):
    with pytest.raises(ValueError):  # noqa: PT011 (of several kinds)
        unpack_letter(letter)
