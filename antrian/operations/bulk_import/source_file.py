"""Where rows come from: a file, or stdin; each read once, from its beginning to its end."""

import sys
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

from antrian.operations.bulk_import.csv_records import csv_records
from antrian.operations.bulk_import.json_records import json_records
from antrian.operations.bulk_import.row import MESSAGE_COLUMNS, ColumnSet, Row, UnreadableFile
from antrian.operations.bulk_import.text_lines import text_lines

STDIN = "-"


class FileFormat(StrEnum):
    """How a file is written."""

    #: A header, then a row for each message; separated by commas, semicolons or tabs.
    CSV = "csv"
    #: A JSON object on each line.
    JSONL = "jsonl"


_FORMATS = {".csv": FileFormat.CSV, ".tsv": FileFormat.CSV, ".jsonl": FileFormat.JSONL, ".ndjson": FileFormat.JSONL}
_READERS = {FileFormat.CSV: csv_records, FileFormat.JSONL: json_records}


def format_of(name: str) -> FileFormat:
    """What the end of a file's name says.

    Raises:
        UnreadableFile: nothing.
    """
    form = _FORMATS.get(Path(name).suffix.lower())
    if form is None:
        what = "it has no name" if name == STDIN else "its name does not end in .csv or .jsonl"
        raise UnreadableFile(f"{what}, so say --format csv or --format jsonl")
    return form


def spoken(name: str) -> str:
    """What people call it."""
    return "stdin" if name == STDIN else name


@contextmanager
def opened(
    name: str, form: FileFormat, ignored: Collection[str] = (), columns: ColumnSet = MESSAGE_COLUMNS
) -> Iterator[Iterator[Row]]:
    """The rows of a file, read as they are taken.

    Args:
        name: of the file; `-` for stdin.
        form: how it is written.
        ignored: columns that are left out.
        columns: that there may be.

    Raises:
        UnreadableFile: it cannot be opened or read, or is not what it should be; this also comes from taking rows.
    """
    try:
        with _open(name) as file, records_in(file, form, ignored, columns) as records:
            yield records
    except OSError as error:
        raise UnreadableFile(_sentence(error)) from error


@contextmanager
def records_in(
    file: IO[bytes], form: FileFormat, ignored: Collection[str] = (), columns: ColumnSet = MESSAGE_COLUMNS
) -> Iterator[Iterator[Row]]:
    """The rows of an open file, read as they are taken.

    Raises:
        UnreadableFile: it is not what it should be; this also comes from taking rows.
    """
    with closing(text_lines(file)) as lines:
        yield _READERS[form](lines, ignored, columns)


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    if name != STDIN:
        with Path(name).open("rb") as file:
            yield file
    elif sys.stdin is None:
        raise UnreadableFile("it is closed")
    else:
        yield sys.stdin.buffer


def _sentence(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, PermissionError):
        return "it may not be read (permission denied)"
    return f"it cannot be read ({(error.strerror or str(error)).lower()})"
