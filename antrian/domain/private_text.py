"""What may be a phone number among other words, for all who show or log words that are not their own."""

import re

#: In place of what is hidden, whatever its length.
DOTS = "••••"

#: No number that people write in a note, a reason or an address has fewer digits.
_FEWEST_DIGITS = 7
#: In a library's sentences a date or an address of the network must stay readable.
_FEWEST_IN_LOGS = 9


def _number_of(digits: int, between: str) -> re.Pattern[str]:
    return re.compile(rf"\+?\d(?:{between}\d){{{digits - 1},}}")


# What people put between digits, and what copying leaves there: any dash, what cannot be seen, and the like.
_BETWEEN = r"[\s()./_\u00b7\u00ad\u200b-\u200f\u202a-\u202e\u2010-\u2015\u2060-\u2069\u2212\ufe58\ufe63\uff0d\ufeff-]"

#: In what people and providers write.
LIKE_A_NUMBER = _number_of(_FEWEST_DIGITS, _BETWEEN + "{0,3}")
#: In what a library says.
LIKE_A_NUMBER_IN_LOGS = _number_of(_FEWEST_IN_LOGS, "[ .-]?")
#: What Meta's ids begin with, and where the number that follows has ended: three bytes, and at most 15 digits.
_META, _META_NUMBER_ENDS = "wamid.", 30
_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[^\s/]+/)+")


def hide_numbers(words: str) -> str:
    """Free text, such as a note, without the numbers in it."""
    return LIKE_A_NUMBER.sub(DOTS, words)


def hide_address(provider_id: str) -> str:
    """A provider's id without the recipient's number, which some put into it: `true_6281234567890@c.us_3EB0`.

    Meta's begin with it in base64: of those the end is left, by which they can still be told apart.
    """
    if provider_id.startswith(_META):
        return f"{_META}{DOTS}{provider_id[_META_NUMBER_ENDS:]}"
    return hide_numbers(provider_id) if "@" in provider_id else provider_id


def hide_folders(words: str) -> str:
    """Words that name files of this machine, without the folders that these are in."""
    return _FOLDERS.sub("…/", words)
