"""Rows from CSV: a header that names the columns, then one row for each message; pure.

`csv.Sniffer` guesses the separator from how often characters occur, and texts are full of commas. The header is a
better witness: the separator is the one that makes most of it column names that we know.
"""

import csv
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from antrian.operations.bulk_import.columns import IGNORED, NOTE, field_of, is_note, known_columns, named
from antrian.operations.bulk_import.row import MESSAGE_COLUMNS, ColumnSet, Row, UnreadableFile
from antrian.operations.bulk_import.text_lines import is_utf8

_SEPARATORS = ",;\t"

#: What Excel writes, and reads, in front of the header.
_EXCEL_SEPARATOR = re.compile(r"\s*\"?sep=(?P<separator>[,;\t])\"?\s*", re.IGNORECASE)


def csv_records(
    lines: Iterable[str], ignored: Collection[str] = (), wanted: ColumnSet = MESSAGE_COLUMNS
) -> Iterator[Row]:
    """The rows below the header; those without any content are none.

    Args:
        lines: of the file.
        ignored: columns that are left out.
        wanted: the columns that there may be.

    Raises:
        UnreadableFile: the header does not fit, or quotes make no sense from some line on.
    """
    feed = iter(lines)
    first = next(feed, "")
    hint = _EXCEL_SEPARATOR.fullmatch(first)
    header = next(feed, "") if hint else first
    separator = hint["separator"] if hint else _separator(header, wanted)
    rows = csv.reader(chain([header], feed), delimiter=separator, strict=True)
    before = 1 if hint else 0
    columns: Sequence[str] = ()
    for line, cells in _numbered(rows, before):
        if not any(cell.strip() for cell in cells):
            continue
        if columns:
            yield _record(line, columns, cells)
        else:
            columns = named(cells, ignored, wanted)
    if not columns:
        raise UnreadableFile(f"it is empty: its first line must name the columns, {known_columns(wanted)}")


def _separator(header: str, wanted: ColumnSet) -> str:
    def fitness(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=separator), [])
        except csv.Error as error:
            raise UnreadableFile(f"line 1: {_broken(str(error))}") from error
        return sum(field_of(cell, wanted) in wanted.fields for cell in cells), len(cells)

    return max(_SEPARATORS, key=fitness)


def _numbered(rows: Any, before: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line that it begins in; some have several."""
    while True:
        line = rows.line_num + before + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise UnreadableFile(f"line {line}: {_broken(str(error))}") from error
        if cells is None:
            return
        yield line, cells


def _broken(error: str) -> str:
    if "unexpected end" in error or "field larger" in error:
        return f"a quote is not closed, or a text has more than {csv.field_size_limit():,} characters"
    return f"{error}; a quote inside a quoted text is written twice"


def _record(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row:
    if not all(map(is_utf8, cells)):
        return Row(line, problems={"": 'is not UTF-8 (Excel has "CSV UTF-8" for that)'})
    if len(cells) < len(columns):
        return Row(line, problems={"": f"has only {len(cells)} of {len(columns)} cells"})
    if any(cell.strip() for cell in cells[len(columns) :]):
        more = f"has {len(cells)} cells, and the header names {len(columns)}"
        return Row(line, problems={"": f"{more}: a text with a separator needs quotes"})
    said = {name: cell for name, cell in zip(columns, cells, strict=False) if cell.strip() and name != IGNORED}
    if "" in said:
        return Row(line, problems={"": "has a cell below a column without a name"})
    return _typed(line, said)


def _typed(line: int, said: Mapping[str, str]) -> Row:
    """The record, with the notes in one object; only the text keeps its outer blanks."""
    fields: dict[str, Any] = {
        name: cell if name == "message" else cell.strip() for name, cell in said.items() if not is_note(name)
    }
    notes = {name.removeprefix(NOTE): cell.strip() for name, cell in said.items() if is_note(name)}
    problems = {}
    if "metadata" in fields:
        try:
            fields["metadata"] = json.loads(fields["metadata"])
        except (ValueError, RecursionError):
            problems["metadata"] = 'must be a JSON object, such as {"invoice": 17}'
            del fields["metadata"]
    if notes and isinstance(fields.setdefault("metadata", {}), dict):
        fields["metadata"] = fields["metadata"] | notes
    return Row(line, fields, problems)
