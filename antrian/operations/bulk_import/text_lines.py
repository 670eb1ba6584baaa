"""The lines of a user's file: UTF-8, not too long, or refused with what to do about it."""

import io
from collections.abc import Generator, Iterator
from typing import IO

from antrian.operations.bulk_import.row import UnreadableFile

#: Characters of the longest line that is read; the longest message has 4,096.
LONGEST_LINE = 1_000_000

#: How files begin that are no plain text, as `text_lines` decodes them, and what to do with them.
_STRANGERS = (
    (("\udcff\udcfe", "\udcfe\udcff"), 'it is UTF-16: save it as UTF-8 (Excel calls that "CSV UTF-8")'),
    (("PK\x03\x04", "\udcd0\udccf\x11"), 'it is a spreadsheet or an archive: save it as "CSV UTF-8"'),
    (("\x1f\udc8b", "\x28\udcb5\x2f\udcfd"), "it is compressed: unpack it first"),
)


def text_lines(file: IO[bytes]) -> Generator[str, None, None]:
    """The lines of an open file, each with its end; without a byte-order mark.

    Bytes that are not UTF-8 become lone surrogates, so that the reader of a line can say which one is wrong.

    Raises:
        UnreadableFile: it is no text, or has an enormous line.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        first = text.readline(LONGEST_LINE + 1).removeprefix("\ufeff")
        if trouble := _strangeness(first):
            raise UnreadableFile(trouble)
        yield from _bounded(first, text)
    finally:
        text.detach()  # the file is its owner's to close


def is_utf8(text: str) -> bool:
    """Whether there were no other bytes in it."""
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _strangeness(first: str) -> str | None:
    for beginnings, trouble in _STRANGERS:
        if first.startswith(beginnings):
            return trouble
    return "it is not UTF-8 text" if "\0" in first else None


def _bounded(first: str, text: io.TextIOWrapper) -> Iterator[str]:
    number, line = 1, first
    while line:
        if len(line) > LONGEST_LINE:
            raise UnreadableFile(f"line {number} is longer than {LONGEST_LINE:,} characters")
        yield line
        number += 1
        line = text.readline(LONGEST_LINE + 1)
