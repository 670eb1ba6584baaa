"""What a person is found by: a phone number, or an identity that a provider gives: Meta's BSUID, WhatsApp's LID."""

import re
from typing import TypeGuard

#: A phone number is kept as a number: it needs a third of the place of its digits.
PersonKey = int | str

#: Kinds of identities beside the phone number.
KINDS = ("bsuid", "lid")

_PHONE = re.compile(r"\+?([1-9][0-9]{6,14})", re.ASCII)
_LID_DOMAIN = "@lid"
#: Characters of an identity; a longer one is not a provider's.
_LONGEST = 128


def is_text(value: object, longest: int) -> TypeGuard[str]:
    """Whether it is a text of at least one character that can be kept: JSON can hold halves of characters."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)


def person_key(recipient: object) -> PersonKey | None:
    """The key of a person's facts; None for what cannot be anyone.

    Args:
        recipient: E.164 with or without +, or another identity.
    """
    if not is_text(recipient, _LONGEST):
        return None
    phone = _PHONE.fullmatch(recipient)
    return int(phone[1]) if phone else recipient


def identity_key(kind: str, identity: object) -> str | None:
    """The key of an identity of a kind; None for what is none."""
    if kind not in KINDS or not is_text(identity, _LONGEST):
        return None
    # Bare digits would be taken for a phone number.
    is_bare = kind == "lid" and identity.isdecimal()
    return f"{identity}{_LID_DOMAIN}" if is_bare else identity


def written(key: PersonKey) -> str:
    """The recipient as events and people write it."""
    return f"+{key}" if isinstance(key, int) else key
