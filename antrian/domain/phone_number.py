"""A recipient's number: one E.164 spelling for the many that people type, and a mask for those who may not see it.

`phonenumbers` is the authority on what is a mobile number. Its full parser takes some 100 µs, more than all the
rest of a publish together, so the plain Indonesian spellings take a short cut: one regular expression, put together
at import from the library's *own* metadata, that matches only where the parser is sure to agree
(a unit test compares the two). Everything else goes through `phone_spelling`, which refuses
every character that no phone number has, and then through the parser. What comes out has exactly the digits that were
typed, after the rules for country code and trunk prefix: a typing mistake must be refused, not turned into another
person's number.
"""

import re
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberType, ValidationResult

from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_spelling import typed_digits
from antrian.domain.private_text import DOTS

#: Where a number without a country code is taken to be.
DEFAULT_REGION = "ID"

_MOBILE_TYPES = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
_EXIT_CODE = re.compile(r"\A00")

# What a masked number shows, and the fewest national digits that it hides.
_OPERATOR_DIGITS = 3
_LAST_DIGITS = 4
_LEAST_HIDDEN = 3

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
        InvalidPhoneNumber: not one mobile number. Codes: those of `typed_digits`, and `invalid-phone-number`,
            `phone-number-too-short`, `phone-number-too-long`, `not-a-mobile-number`. The text never quotes the number.
    """
    if region == DEFAULT_REGION:
        plain = _match_plain(raw.replace("-", "").replace(" ", ""))
        if plain is not None:
            return "+62" + plain["national"]
    return _normalize_thoroughly(raw, region)


def display(e164: str) -> str:
    """A number as people write it, `+62 812-3456-7890`; what is no number stays as it is."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _normalize_thoroughly(raw: str, region: str) -> str:
    typed = _EXIT_CODE.sub("+", typed_digits(raw))
    number = _parse(typed, region)
    if not phonenumbers.is_valid_number(number):
        raise _invalid(typed, number, region)
    if phonenumbers.number_type(number) not in _MOBILE_TYPES:
        raise InvalidPhoneNumber(
            "not-a-mobile-number",
            "this is not a mobile number; a foreign one needs + and its country code",
        )
    if not _has_the_digits_typed(number, typed, region):
        raise InvalidPhoneNumber("invalid-phone-number", "write this number with + and its country code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _parse(typed: str, region: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(typed, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidPhoneNumber("invalid-phone-number", "no country has this code") from error
        if error.error_type == NumberParseException.TOO_LONG:
            raise _too_long(typed, region) from error
        if len(typed) > 1:
            raise _too_short(typed, region) from error
        raise InvalidPhoneNumber("invalid-phone-number", "this is not a phone number") from error


def _invalid(typed: str, number: PhoneNumber, region: str) -> InvalidPhoneNumber:
    match phonenumbers.is_possible_number_for_type_with_reason(number, PhoneNumberType.MOBILE):
        case ValidationResult.TOO_SHORT | ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return _too_short(typed, region)
        case ValidationResult.TOO_LONG:
            return _too_long(typed, region)
    return InvalidPhoneNumber(
        "invalid-phone-number", "no number has this prefix and length; a foreign one needs + and its country code"
    )


def _too_short(typed: str, region: str) -> InvalidPhoneNumber:
    return InvalidPhoneNumber("phone-number-too-short", f"this is too short for {_whose_number(typed, region)}")


def _too_long(typed: str, region: str) -> InvalidPhoneNumber:
    return InvalidPhoneNumber("phone-number-too-long", f"this is too long for {_whose_number(typed, region)}")


def _whose_number(typed: str, region: str) -> str:
    if typed.startswith("+"):
        return "a mobile number of this country"
    kind = "an Indonesian mobile number" if region == DEFAULT_REGION else "a mobile number without a country code"
    return f"{kind}; a number abroad begins with +"


def _has_the_digits_typed(number: PhoneNumber, typed: str, region: str) -> bool:
    """Whether the parser left every digit where it was, and took off only a country code and a trunk prefix.

    For some countries it knows older ways of dialling and rewrites the number; no person has seen the result.
    """
    national = phonenumbers.national_significant_number(number)
    country = str(number.country_code)
    trunk = _trunk_prefix(phonenumbers.region_code_for_country_code(int(country)))
    fronts = {f"+{country}", f"+{country}{trunk}"}
    if phonenumbers.country_code_for_region(region) == number.country_code:
        fronts |= {country, f"{country}{trunk}", trunk, ""}
    return typed.endswith(national) and typed.removesuffix(national) in fronts


def _trunk_prefix(region: str) -> str:
    metadata: Any = PhoneMetadata.metadata_for_region(region, None)
    return (metadata and metadata.national_prefix) or ""


def mask(number: str) -> str:
    """A number of which only country, operator and the last four digits can be read, for those who may not see it.

    Args:
        number: E.164, such as `+6281234567890`, which becomes `+62 812-••••-7890`. Of shorter numbers the operator is
            hidden, too, and of what is no number everything.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except NumberParseException:
        return DOTS
    national = phonenumbers.national_significant_number(parsed)
    if len(national) < _LAST_DIGITS + _LEAST_HIDDEN:
        return DOTS
    shows_operator = len(national) >= _OPERATOR_DIGITS + _LEAST_HIDDEN + _LAST_DIGITS
    operator = f"{national[:_OPERATOR_DIGITS]}-" if shows_operator else ""
    return f"+{parsed.country_code} {operator}{DOTS}-{national[-_LAST_DIGITS:]}"


def shown_sender(sender: str, *, masked: bool) -> str:
    """A lane's sender as people see it: a number in E.164, or the provider's own name for it; masked if need be."""
    if not sender.removeprefix("+").isdecimal():
        return DOTS if masked else sender
    number = f"+{sender.removeprefix('+')}"
    return mask(number) if masked else number
