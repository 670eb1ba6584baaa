"""Which characters a typed phone number may have, and what is said about the others.

`phonenumbers.parse` is lenient: it drops a letter at the end, turns others into the digits of a telephone keypad, and
finds a number inside a sentence. In a typing mistake such as `0812 3456 789O` that leaves another person's number. So
every character is looked at before the parser sees anything. `docs/howto/phone-numbers.md` has the table of all
decisions, and `tests/unit/domain/test_phone_number.py` tests this module against it, row by row.
"""

import re
import unicodedata
from typing import Any

from antrian.domain.errors import InvalidPhoneNumber

#: No usual spelling of one number is longer than this, in characters.
LONGEST_SPELLING = 100

#: Between digits these mean nothing: spaces of any width, dashes, dots, brackets.
_SPACES = " \u00a0\u2000-\u200a\u202f\u205f\u3000"
_SEPARATORS = re.compile(rf"[{_SPACES}\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d.\uff0e()\uff08\uff09]")
# What copying from a chat, a contact or a web page leaves behind: zero-width characters and left-to-right marks. The
# right-to-left ones are not among them: with those, a person sees the digits in another order than a program does.
_INVISIBLE = "\u00ad\u200b-\u200e\u202a\u202c\u202d\u2060\u2066\u2068\u2069\ufeff"
_IGNORED = re.compile(rf"[{_INVISIBLE}]")
_BLANK = rf"[{_SPACES}{_INVISIBLE}\t\r\n]*"
_FRAME = re.compile(
    rf"{_BLANK}(?:(?:tel|whatsapp):{_BLANK})?(?P<number>.*?)(?:@(?:c\.us|s\.whatsapp\.net))?{_BLANK}",
    re.ASCII | re.IGNORECASE | re.DOTALL,
)
_GROUP = re.compile(rf"@g\.us{_BLANK}\Z", re.ASCII | re.IGNORECASE)
_EXTENSION = re.compile(r"[\s,;]*ext(?:n|ension)?[.:=\s]*[0-9]+\s*\Z", re.ASCII | re.IGNORECASE)
# 81234567890.0 or 8.1E+10: the zero, or what follows the E, is not part of the number.
_DECIMAL = re.compile(r"[0-9]{6,}\.0{1,6}\Z|[0-9]e\+?[0-9]{1,2}\Z", re.ASCII | re.IGNORECASE)
_LIST_SEPARATORS = ",;/|\t\r\n"
_PLUS_SIGNS = "+\uff0b"
# What an East Asian keyboard writes: the same shapes, only wider.
_FULL_WIDTH = {0xFEE0 + ord(character): character for character in "0123456789.+"}
_DIGITS = frozenset("0123456789").union(map(chr, range(0xFF10, 0xFF1A)))

_INVISIBLE_KINDS = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Mn", "Me"})


def typed_digits(raw: str) -> str:
    """The ASCII digits of a typed number, after a `+` if one was typed, and nothing else.

    Args:
        raw: as it was typed, copied or sent.

    Raises:
        InvalidPhoneNumber: it has a character that no phone number has; `place` says where. Its text quotes at most
            that one character. Codes: `letter-in-phone-number`, `foreign-digit`, `hidden-character`,
            `misplaced-plus`, `character-in-phone-number`, `several-phone-numbers`, `phone-extension`, `group-id`,
            `invalid-phone-number`.
    """
    if len(raw) > LONGEST_SPELLING:
        raise InvalidPhoneNumber("invalid-phone-number", "too long for one phone number")
    if _GROUP.search(raw):
        raise InvalidPhoneNumber("group-id", "this is a WhatsApp group, not a person")
    frame = _FRAME.fullmatch(raw)
    number = frame["number"] if frame else raw
    start = frame.start("number") if frame else 0
    if _EXTENSION.search(number):
        raise InvalidPhoneNumber("phone-extension", "a WhatsApp recipient cannot have an extension")
    if _DECIMAL.search(_IGNORED.sub("", number).translate(_FULL_WIDTH)):
        raise InvalidPhoneNumber(
            "invalid-phone-number", "a program turned this number into a decimal: store it as text"
        )
    return _kept(number, start)


def _kept(number: str, start: int) -> str:
    kept: list[str] = []
    for place, character in enumerate(number, start + 1):
        if character in _DIGITS:
            kept.append(character)
        elif character in _PLUS_SIGNS and not kept:
            kept.append("+")
        elif not (_SEPARATORS.match(character) or _IGNORED.match(character)):
            raise _refusal(character, place)
    return "".join(kept).translate(_FULL_WIDTH)


def _refusal(character: str, place: int) -> InvalidPhoneNumber:
    kind = unicodedata.category(character)
    name = _name(character)
    about: dict[str, Any] = {"place": place, "character": character if "!" <= character <= "~" else ""}
    if character in _LIST_SEPARATORS:
        return InvalidPhoneNumber("several-phone-numbers", "a message has exactly one recipient", **about)
    if character in _PLUS_SIGNS:
        return InvalidPhoneNumber(
            "misplaced-plus", f"character {place} is a plus sign, which may only stand in front", **about
        )
    if kind.startswith("N"):
        return InvalidPhoneNumber("foreign-digit", f"character {place} is {name}: use the digits 0 to 9", **about)
    if kind.startswith("L"):
        detail = f"character {place} is the letter {name}: a phone number has digits only"
        return InvalidPhoneNumber("letter-in-phone-number", detail, **about)
    if kind in _INVISIBLE_KINDS:
        return InvalidPhoneNumber(
            "hidden-character", f"character {place} is invisible, {name}: type the number again", **about
        )
    detail = f"character {place} is {name}, which no phone number has"
    return InvalidPhoneNumber("character-in-phone-number", detail, **about)


def _name(character: str) -> str:
    """How to tell one character from those that look like it, in ASCII."""
    if "!" <= character <= "~":
        return character
    return unicodedata.name(character, f"U+{ord(character):04X}")
