"""Numbers as viewers see them."""

import re

import phonenumbers

#: In place of what is hidden, whatever its length.
DOTS = "••••"

#: What may be a phone number among other words.
_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,3}\d){6,}")

_OPERATOR_DIGITS = 3
_LAST_DIGITS = 4
#: National digits that must stay hidden, with and without the operator's prefix.
_LEAST_HIDDEN = 3


def mask_number(number: str) -> str:
    """A number of which only country, operator and the last four digits are left.

    Args:
        number: E.164, such as `+6281234567890`, which becomes `+62 812-••••-7890`. Of shorter numbers the operator is
            hidden, too, and of what is no number everything.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return DOTS
    national = phonenumbers.national_significant_number(parsed)
    if len(national) < _LAST_DIGITS + _LEAST_HIDDEN:
        return DOTS
    shows_operator = len(national) >= _OPERATOR_DIGITS + _LEAST_HIDDEN + _LAST_DIGITS
    operator = f"{national[:_OPERATOR_DIGITS]}-" if shows_operator else ""
    return f"+{parsed.country_code} {operator}{DOTS}-{national[-_LAST_DIGITS:]}"


def hide_numbers(words: str) -> str:
    """Free text, such as a note, in which nobody finds a number."""
    return _NUMBER.sub(DOTS, words)
