"""A recipient's number: one E.164 spelling for the many that people type, and a mask for those who may not see it.

`phonenumbers` is the authority on what is a mobile number. Its full parser takes some 100 µs, more than all the
rest of a publish together, so the plain Indonesian spellings take a short cut: one regular expression, put together
at import from the library's *own* metadata, that matches only where the parser is sure to agree
(`tests/unit/test_phone_number.py` compares the two). Everything else goes through the parser.
"""

import re
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType

from broker.errors import InvalidPhoneNumber

#: Where a number without a country code is taken to be.
DEFAULT_REGION = "ID"

#: No usual spelling of one number is longer than this, in characters.
LONGEST_SPELLING = 100

_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})

# What copying from a chat, a web page or a spreadsheet leaves between the digits: zero-width characters, word
# joiner, byte-order mark, soft hyphen, and the marks, embeddings and isolates of bidirectional text.
_INVISIBLE = re.compile(r"[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_LIST_SEPARATORS = re.compile(r"[,;/|]")
_WHATSAPP_TAIL = re.compile(r"@(?:c\.us|s\.whatsapp\.net)\Z", re.IGNORECASE)
# 81234567890.0 or 8.1E+10: the parser would take the zero, or what follows the E, for more digits.
_DECIMAL = re.compile(r"\d{6,}\.0{1,6}\Z|\d[eE]\+?\d{1,2}\Z", re.ASCII)
_EXIT_CODE = re.compile(r"\A00\s*")

# The parser's types that win over MOBILE when a number matches both.
_OTHER_TYPES = (
    "premium_rate",
    "toll_free",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
    "fixed_line",
)


def _plain_spelling() -> re.Pattern[str]:
    """The expression for `+62…`, `62…`, `0…` and `8…` in ASCII digits.

    Each part keeps the expression inside what the parser accepts: the number has the length and shape of a mobile
    number and of no other type, and a bare `62…` must not itself have the shape of a national number (there the
    parser takes the 62 for an area code).
    """
    metadata: Any = PhoneMetadata.metadata_for_region(DEFAULT_REGION)
    general = metadata.general_desc.national_number_pattern
    mobile = metadata.mobile.national_number_pattern
    lengths = "|".join(rf"\d{{{length}}}" for length in metadata.mobile.possible_length)
    descriptions = [getattr(metadata, name) for name in _OTHER_TYPES]
    others = "|".join(
        other.national_number_pattern for other in descriptions if other and other.national_number_pattern
    )
    national = rf"(?=(?:{lengths})\Z)(?=(?:{general})\Z)(?!(?:{others})\Z)(?P<national>{mobile})"
    return re.compile(rf"(?:\+62|(?!(?:{general})\Z)62|0?){national}", re.ASCII)


_match_plain = _plain_spelling().fullmatch


def normalize(raw: str, region: str = DEFAULT_REGION) -> str:
    """The E.164 form of a mobile number in any usual spelling.

    Args:
        raw: such as `0812-3456-7890`, `+62 812…`, `62812…`, `tel:+62…` or `62812…@c.us`.
        region: the two-letter region of numbers without a country code.

    Returns:
        `+` and 8 to 15 digits.

    Raises:
        InvalidPhoneNumber: not one mobile number. Codes: `invalid-phone-number`, `not-a-mobile-number`,
            `several-phone-numbers`, `group-id`, `phone-extension`. The text never quotes the number.
    """
    if region == DEFAULT_REGION:
        plain = _match_plain(raw.replace("-", "").replace(" ", ""))
        if plain is not None:
            return "+62" + plain["national"]
    return _normalize_thoroughly(raw, region)


def _normalize_thoroughly(raw: str, region: str) -> str:
    number = _parse(_clean(raw), region)
    if number.extension:
        raise InvalidPhoneNumber("phone-extension", "a WhatsApp recipient cannot have an extension")
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhoneNumber(
            "invalid-phone-number",
            "no number has this prefix and length; a foreign one needs + and its country code",
        )
    if phonenumbers.number_type(number) not in _MOBILE_TYPES:
        raise InvalidPhoneNumber(
            "not-a-mobile-number",
            "this is not a mobile number; a foreign one needs + and its country code",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _clean(raw: str) -> str:
    if len(raw) > LONGEST_SPELLING:
        raise InvalidPhoneNumber("invalid-phone-number", "too long for one phone number")
    text = _INVISIBLE.sub("", raw).strip()
    if text.lower().endswith("@g.us"):
        raise InvalidPhoneNumber("group-id", "this is a WhatsApp group, not a person")
    if _DECIMAL.search(text):
        raise InvalidPhoneNumber("invalid-phone-number", "some program made a decimal number of it: handle it as text")
    if _LIST_SEPARATORS.search(text):
        raise InvalidPhoneNumber("several-phone-numbers", "a message has exactly one recipient")
    return _EXIT_CODE.sub("+", _WHATSAPP_TAIL.sub("", text))


def _parse(text: str, region: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        raise InvalidPhoneNumber("invalid-phone-number", "this is not a phone number") from error


def mask(e164: str) -> str:
    """The number with its middle hidden, `+62812•••••890`, for logs and for people who may not see it.

    At most six characters at the front and three at the end stay readable, and at least five are hidden.
    """
    hidden_to = max(len(e164) - 3, 0)
    hidden_from = max(min(6, hidden_to - 5), 0)
    if hidden_to < 5:  # noqa: PLR2004 (nothing this short can show its end either)
        return "•" * len(e164)
    return e164[:hidden_from] + "•" * (hidden_to - hidden_from) + e164[hidden_to:]
