from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker import phone_number
from broker.errors import InvalidPhoneNumber
from broker.phone_number import LONGEST_SPELLING, mask, normalize

SAME = "+6281234567890"
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("0812-3456-7890", SAME),
        ("+62 812 3456 7890", SAME),
        ("6281234567890", SAME),
        ("81234567890", SAME),
        ("(0812) 3456-7890", SAME),
        ("0812.3456.7890", SAME),
        ("62 0812 3456 7890", SAME),
        ("081234567890".translate(FULL_WIDTH), SAME),
        ("081234567890".translate(ARABIC_INDIC), SAME),
        ("\u202a+62 812\u200b-3456\u2060-7890\u202c", SAME),
        ("\ufeff081234567890\u200e", SAME),
        ("\t 081234567890 \r\n", SAME),
        ("whatsapp:+6281234567890", SAME),
        ("tel:+6281234567890", SAME),
        ("6281234567890@c.us", SAME),
        ("6281234567890@s.whatsapp.net", SAME),
        ("6281234567890@C.US", SAME),
        ("0062 812 3456 7890", SAME),
        ("00 62 812 3456 7890", SAME),
        ("+6208123456789", "+628123456789"),
        ("628114040707", "+628114040707"),
        ("08114040707", "+628114040707"),
        ("0811404070", "+62811404070"),
        ("0838123456789", "+62838123456789"),
        ("0899123456", "+62899123456"),
        ("08201234567", "+628201234567"),
        ("0868123456789", "+62868123456789"),
        ("+65 9123 4567", "+6591234567"),
        ("0065 9123 4567", "+6591234567"),
        ("+1 415 555 2671", "+14155552671"),
    ],
)
def test_every_usual_spelling_becomes_one_e164_number(raw: str, e164: str) -> None:
    assert normalize(raw) == e164


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "invalid-phone-number"),
        ("   ", "invalid-phone-number"),
        ("abc", "invalid-phone-number"),
        ("+62", "invalid-phone-number"),
        ("62abc", "invalid-phone-number"),
        ("08I234567890", "invalid-phone-number"),
        ("081140407", "invalid-phone-number"),
        ("81234567890.0", "invalid-phone-number"),
        ("6281234567890.00", "invalid-phone-number"),
        ("8.1234567890E+10", "invalid-phone-number"),
        ("8,12346e+10", "invalid-phone-number"),
        ("08123", "invalid-phone-number"),
        ("0812345678901234", "invalid-phone-number"),
        ("08591234567890", "invalid-phone-number"),
        ("00162812345678", "invalid-phone-number"),
        ("14155552671", "invalid-phone-number"),
        ("0" * (LONGEST_SPELLING + 1), "invalid-phone-number"),
        ("021 5151515", "not-a-mobile-number"),
        ("021-500-123", "not-a-mobile-number"),
        ("1500123", "not-a-mobile-number"),
        ("0800 1234567", "not-a-mobile-number"),
        ("6591234567", "not-a-mobile-number"),
        ("62811404070", "not-a-mobile-number"),
        ("+62-812-3456-7890 ext 5", "phone-extension"),
        ("081234567890 x5", "phone-extension"),
        ("081234567890/081234567891", "several-phone-numbers"),
        ("081234567890, 081234567891", "several-phone-numbers"),
        ("081234567890;081234567891", "several-phone-numbers"),
        ("081234567890|081234567891", "several-phone-numbers"),
        ("120363025246125016@g.us", "group-id"),
        ("6281234567890-1425645454@G.us", "group-id"),
    ],
)
def test_what_is_not_one_mobile_number_is_refused(raw: str, code: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalize(raw)

    assert caught.value.code == code


@pytest.mark.parametrize("raw", ["08591234567890", "021 5151515", "+62-812-3456-7890 ext 5", "081234567890,0812"])
def test_a_refusal_never_quotes_the_number(raw: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalize(raw)

    assert not any(character.isdigit() for character in str(caught.value))


def test_a_number_of_another_region_needs_no_country_code_there() -> None:
    assert normalize("9123 4567", region="SG") == "+6591234567"
    assert normalize("+62 812 3456 7890", region="SG") == SAME


def _answer(function: Callable[[str, str], str], raw: str) -> str:
    try:
        return function(raw, "ID")
    except InvalidPhoneNumber as error:
        return error.code


def _assert_short_cut_agrees(raw: str) -> None:
    assert _answer(normalize, raw) == _answer(phone_number._normalize_thoroughly, raw)


@pytest.mark.parametrize("prefix", ["+62", "62", "0", "", "+620", "620", "+", "00", "0062", "6262"])
@pytest.mark.parametrize("length", range(6, 15))
def test_the_short_cut_agrees_with_the_library_on_every_mobile_prefix(prefix: str, length: int) -> None:
    for lead in range(800, 900):
        _assert_short_cut_agrees(prefix + f"{lead}1404070707070"[:length])


PREFIXES = st.sampled_from(["+62", "62", "0", "", "00", "620", "+620", "+", "0062", "6262", "+65", "1"])
SEPARATORS = st.sampled_from(["", "", "", " ", "-", "  ", " - "])
LEADS = st.sampled_from(["8", "8", "81", "80", "84", "2", ""])
DIGITS = st.text("0123456789", max_size=14)


def _spaced(digits: str, separators: list[str]) -> str:
    return "".join(digit + separators[index % len(separators)] for index, digit in enumerate(digits))


@settings(deadline=None)
@given(PREFIXES, LEADS, DIGITS, st.lists(SEPARATORS, min_size=1, max_size=6))
def test_the_short_cut_agrees_with_the_library(prefix: str, lead: str, digits: str, separators: list[str]) -> None:
    _assert_short_cut_agrees(_spaced(prefix + lead + digits, separators))


@pytest.mark.parametrize("raw", ["+62 812-3456-7890-", "-081234567890", "0-0-6281234567890", "+-6281234567890", "+"])
def test_the_short_cut_agrees_with_the_library_on_stray_separators(raw: str) -> None:
    _assert_short_cut_agrees(raw)


@settings(deadline=None)
@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_mobile_number_or_refused(raw: str) -> None:
    try:
        e164 = normalize(raw)
    except InvalidPhoneNumber:
        return
    assert phonenumbers.is_valid_number(phonenumbers.parse(e164))
    assert normalize(e164) == e164


@pytest.mark.parametrize("raw", ["081234567890", "0812-3456-7890", "+62 812 3456 7890", "6281234567890", "81234567890"])
def test_the_usual_spellings_take_the_short_cut(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(phone_number, "_normalize_thoroughly")

    assert normalize(raw) == SAME


@pytest.mark.parametrize(
    ("e164", "masked"),
    [
        ("+6281234567890", "+62812•••••890"),
        ("+62838123456789", "+62838••••••789"),
        ("+62811404070", "+628•••••070"),
        ("+6591234567", "+65•••••567"),
        ("12345678", "•••••678"),
        ("1234567", "•••••••"),
        ("", ""),
    ],
)
def test_a_masked_number_hides_at_least_five_digits(e164: str, masked: str) -> None:
    assert mask(e164) == masked
