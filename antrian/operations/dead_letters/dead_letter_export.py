"""Dead letters as a file: one line each, written as they are read, so that any number of them fits."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TextIO

from antrian.history.dead_letter import DeadLetter
from antrian.operations.dead_letters.dead_letter_view import CSV_COLUMNS, csv_row, details

Write = Callable[[DeadLetter], None]


class ExportFormat(StrEnum):
    """How an export is written."""

    #: For spreadsheets.
    CSV = "csv"
    #: For programs: one JSON object per line, with everything that is known.
    JSONL = "jsonl"


@contextmanager
def exported(path: Path | None, form: ExportFormat) -> Iterator[Write]:
    """Something to write letters with.

    Args:
        path: where to; None for stdout. The file appears when it is complete, readable by its owner alone.
        form: how.

    Raises:
        OSError: it cannot be written.
    """
    if path is None:
        yield _writer(sys.stdout, form)
        return
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield _writer(file, form)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def export_lines(letters: Iterable[DeadLetter], form: ExportFormat) -> Iterator[str]:
    """The same as text, piece by piece, for a streamed answer.

    Args:
        letters: read one by one, as the pieces are asked for.
        form: how.
    """
    piece = StringIO()
    write = _writer(piece, form)
    for letter in letters:
        write(letter)
        yield _emptied(piece)
    yield _emptied(piece)


def _emptied(piece: StringIO) -> str:
    text = piece.getvalue()
    piece.seek(0)
    piece.truncate()
    return text


def _writer(file: TextIO, form: ExportFormat) -> Write:
    if form is ExportFormat.JSONL:
        return lambda letter: _write_line(file, letter)
    rows = csv.DictWriter(file, CSV_COLUMNS, lineterminator="\n")
    rows.writeheader()
    return lambda letter: _write_row(rows, letter)


def _write_line(file: TextIO, letter: DeadLetter) -> None:
    file.write(json.dumps(details(letter), ensure_ascii=False) + "\n")


def _write_row(rows: "csv.DictWriter[str]", letter: DeadLetter) -> None:
    rows.writerow(csv_row(letter))
