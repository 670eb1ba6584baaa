"""What people type into a search box, as what SQLite looks for; pure."""

import re
import unicodedata

from broker.errors import InvalidPhoneNumber
from broker.phone_number import normalize

_WORD = re.compile(r"[^\W_]+")

#: Fewer digits are found in so many numbers that going through the newest messages is faster than any index.
RARE_DIGITS = 5


def words_query(text: str) -> str | None:
    """An FTS5 query for messages with all these words, the last of which may be begun only; None for no word at all."""
    words = _WORD.findall(unicodedata.normalize("NFC", text.encode(errors="replace").decode()))
    return " AND ".join([*(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"*']) if words else None


def whole_number(text: str) -> str | None:
    """The E.164 number that is meant; None when the text is only a part of one."""
    try:
        return normalize(text)
    except InvalidPhoneNumber:
        return None


def digits(text: str) -> str:
    """The digits of a part of a number, without a leading 0 that stands for the country code."""
    found = "".join(character for character in text if character in "0123456789")
    return found.removeprefix("0") if text.lstrip().startswith("0") else found
