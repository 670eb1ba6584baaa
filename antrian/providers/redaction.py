"""A provider's own words, made fit for a history that many people read."""

from collections.abc import Iterable

from antrian.domain.private_text import LIKE_A_NUMBER

#: Characters that the `detail` of a failure may have.
LONGEST_DETAIL = 200

#: Shorter private texts are not looked for: taking every "a" out of a sentence would hide nothing and spoil it.
_SHORTEST_PRIVATE = 3


def quote(words: str, private: Iterable[str] = ()) -> str:
    """Return `words` on one line, without phone numbers and the `private` texts, cut to `LONGEST_DETAIL`."""
    line = _one_line(words)
    for secret in sorted(map(_one_line, private), key=len, reverse=True):
        if len(secret) >= _SHORTEST_PRIVATE:
            line = line.replace(secret, "…")
    line = LIKE_A_NUMBER.sub("…", line)
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"


def _one_line(words: str) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(printable.split())
