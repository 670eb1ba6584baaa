"""What people type into a search box, as what SQLite looks for; pure."""

import re
import unicodedata

from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import normalize

_WORD = re.compile(r"[^\W_]+")

#: Fewer digits are found in so many numbers that going through the newest messages is faster than any index.
RARE_DIGITS = 5


def words(text: str) -> list[str]:
    """The words of what was typed."""
    return _WORD.findall(unicodedata.normalize("NFC", text.encode(errors="replace").decode()))


def words_query(text: str, *, is_finished: bool = False) -> str | None:
    """An FTS5 query for messages with all these words; None for no word at all.

    Args:
        text: what was typed.
        is_finished: whether the last word, too, is a whole one; it may be begun only without this.
    """
    found = words(text)
    last = "" if is_finished else "*"
    return " AND ".join([*(f'"{word}"' for word in found[:-1]), f'"{found[-1]}"{last}']) if found else None


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
