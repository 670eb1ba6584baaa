import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antrian.domain import phone_number, phone_spelling
from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import display, mask, normalize
from antrian.domain.phone_spelling import LONGEST_SPELLING

SAME = "+6281234567890"
FULL_WIDTH = {ord(character): chr(0xFEE0 + ord(character)) for character in "0123456789."}
EVERY_DIGIT = frozenset("0123456789" + "0123456789".translate(FULL_WIDTH))
TABLE = Path(__file__).parents[3] / "docs/howto/phone-numbers.md"


def decisions() -> Iterator[tuple[str, str]]:
    """What the table for people says, row by row: what is typed, and the number or the code that it becomes."""
    for row in re.finditer(r"^\| `(.+?)` \| `(.+?)` \|", TABLE.read_text(encoding="utf-8"), re.MULTILINE):
        yield re.sub(r"<U\+([0-9A-F]+)>", lambda code: chr(int(code[1], 16)), row[1]), row[2]


@pytest.mark.parametrize(("raw", "result"), list(decisions()))
def test_the_table_for_people_is_true(raw: str, result: str) -> None:
    if result.startswith("+"):
        assert normalize(raw) == result
        return
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalize(raw)
    assert caught.value.code == result


def test_the_table_has_every_code() -> None:
    source = "".join(Path(str(module.__file__)).read_text() for module in (phone_number, phone_spelling))

    assert {result for _, result in decisions() if not result.startswith("+")} == set(
        re.findall(r'InvalidPhoneNumber\(\s*"([a-z-]+)"', source)
    )


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
        ("\ufeff081234567890\u200e", SAME),
        ("Tel: +6281234567890", SAME),
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
        ("abc", "letter-in-phone-number"),
        ("+62", "phone-number-too-short"),
        ("62abc", "letter-in-phone-number"),
        ("081140407", "phone-number-too-short"),
        ("6281234567890.00", "invalid-phone-number"),
        ("8,12346e+10", "invalid-phone-number"),
        ("81234567890.0".translate(FULL_WIDTH), "invalid-phone-number"),
        ("08591234567890", "phone-number-too-long"),
        ("00162812345678", "phone-number-too-long"),
        ("14155552671", "invalid-phone-number"),
        ("0" * (LONGEST_SPELLING + 1), "invalid-phone-number"),
        ("021 5151515", "not-a-mobile-number"),
        ("021-500-123", "not-a-mobile-number"),
        ("1500123", "not-a-mobile-number"),
        ("0800 1234567", "not-a-mobile-number"),
        ("6591234567", "not-a-mobile-number"),
        ("62811404070", "not-a-mobile-number"),
        ("081234567890 x5", "letter-in-phone-number"),
        ("what\u017fapp:081234567890", "letter-in-phone-number"),
        ("081234567890;081234567891", "several-phone-numbers"),
        ("081234567890|081234567891", "several-phone-numbers"),
        ("6281234567890-1425645454@G.us", "group-id"),
    ],
)
def test_what_is_not_one_mobile_number_is_refused(raw: str, code: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalize(raw)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("raw", "place", "sentence"),
    [
        ("0812 3456 789O", 14, "character 14 is the letter O: a phone number has digits only"),
        ("  tel:+62 812-3456-78l0", 22, "character 22 is the letter l: a phone number has digits only"),
        ("0812\u041e", 5, "character 5 is the letter CYRILLIC CAPITAL LETTER O: a phone number has digits only"),
        ("0812\u0007", 5, "character 5 is invisible, U+0007: type the number again"),
        ("0812\u202e", 5, "character 5 is invisible, RIGHT-TO-LEFT OVERRIDE: type the number again"),
    ],
)
def test_a_refusal_names_the_place(raw: str, place: int, sentence: str) -> None:
    with pytest.raises(InvalidPhoneNumber) as caught:
        normalize(raw)

    assert (caught.value.place, str(caught.value)) == (place, sentence)


@settings(deadline=None)
@given(st.text(st.sampled_from("0123456789+ -.()O\u0660\u200b\n,;@") | st.characters(), max_size=40))
def test_a_refusal_never_quotes_the_number(raw: str) -> None:
    try:
        normalize(raw)
    except InvalidPhoneNumber as error:
        said = str(error)
        if error.place:
            said = said.replace(f"character {error.place} is", "").replace(
                phone_spelling._name(raw[error.place - 1]), ""
            )
        assert said.isascii()
        assert not re.search(r"[0-9]", said.replace("digits 0 to 9", ""))


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


#: What nearly is a number: its characters, some that look like them, and some that a parser may drop.
NEARLY = st.text(
    st.sampled_from("0123456789" * 4 + "+ -.()/,;:#*xXoOlI\u00a0\u2011\u200b\u200f\u202e\u0665\uff15\u0417\u2460\n\t")
    | st.characters(),
    max_size=8,
)
NUMBERS = st.sampled_from(["081234567890", "+6281234567890", "62 812-3456-7890", "+65 9123 4567", "+5493435551212"])


@st.composite
def mistyped(draw: st.DrawFn) -> str:
    """A good number in which something was typed wrong, at one or two places."""
    raw = draw(NUMBERS)
    for _ in range(draw(st.integers(1, 2))):
        begin = draw(st.integers(0, len(raw)))
        raw = raw[:begin] + draw(NEARLY) + raw[begin + draw(st.integers(0, 2)) :]
    return raw


@settings(deadline=None, max_examples=1000)
@given(mistyped() | NEARLY | NUMBERS.map(lambda number: f"tel:{number}") | st.text(max_size=40))
def test_no_typing_mistake_becomes_another_number(raw: str) -> None:
    try:
        e164 = normalize(raw)
    except InvalidPhoneNumber:
        return
    inner = re.sub(r"\A\W*(tel|whatsapp):|@(c\.us|s\.whatsapp\.net)\W*\Z", "", raw, flags=re.IGNORECASE | re.ASCII)
    typed = "".join(str(unicodedata.decimal(one)) for one in inner if one in EVERY_DIGIT)
    separators = {"Zs", "Pd", "Ps", "Pe", "Cf"}
    kept = EVERY_DIGIT.union("+\uff0b.\uff0e\u2212\t\r\n")

    assert all(one in kept or unicodedata.category(one) in separators for one in inner)
    assert e164[1:] in {typed, typed.removeprefix("00"), f"62{typed.removeprefix('0')}"} | {
        typed.replace(f"{code}0", code, 1).removeprefix("00") for code in ("62", "65", "54")
    }


@settings(deadline=None)
@given(st.text(max_size=40) | NEARLY)
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
    ("number", "masked"),
    [
        ("+6281234567890", "+62 812-••••-7890"),
        ("+628123456789", "+62 812-••••-6789"),
        ("+12025550123", "+1 202-••••-0123"),
        ("+6591234567", "+65 ••••-4567"),
        ("+62811234", "••••"),
        ("6281234567890", "••••"),
        ("", "••••"),
        ("no number", "••••"),
        ("+", "••••"),
    ],
)
def test_a_masked_number_shows_country_operator_and_four_digits_at_most(number: str, masked: str) -> None:
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("e164", "shown"),
    [(SAME, "+62 812-3456-7890"), ("+6591234567", "+65 9123 4567"), ("no number", "no number"), ("", "")],
)
def test_a_number_is_shown_as_people_write_it(e164: str, shown: str) -> None:
    assert display(e164) == shown
