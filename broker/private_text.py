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


#: In what people and providers write.
LIKE_A_NUMBER = _number_of(_FEWEST_DIGITS, r"[\s().-]{0,3}")
#: In what a library says.
LIKE_A_NUMBER_IN_LOGS = _number_of(_FEWEST_IN_LOGS, "[ .-]?")


def hide_numbers(words: str) -> str:
    """Free text, such as a note, in which nobody finds a number."""
    return LIKE_A_NUMBER.sub(DOTS, words)
