"""What a mistyped name was probably meant to be."""

from collections.abc import Iterable
from difflib import get_close_matches

#: Longer names are no typing error, and comparing them takes long.
_LONGEST = 60


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?`, or nothing where no known name is close."""
    close = get_close_matches(name, tuple(known), n=1, cutoff=0.6) if len(name) <= _LONGEST else []
    return f"; did you mean {close[0]}?" if close else ""
