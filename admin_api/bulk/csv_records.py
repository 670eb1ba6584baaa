"""Rows from CSV: a header that names the columns, then one row for each message; pure.

`csv.Sniffer` guesses the separator from how often characters occur, and texts are full of commas. The header is a
better witness: the separator is the one that makes most of it column names that we know.
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import chain
from typing import Any

from admin_api.bulk.record import FIELDS, REQUIRED, Record, UnreadableFile
from admin_api.bulk.text_lines import is_utf8

_SEPARATORS = ",;\t"

#: A note of its own: `metadata.invoice`.
_NOTE = "metadata."

#: What Excel writes, and reads, in front of the header.
_EXCEL_SEPARATOR = re.compile(r"\s*\"?sep=(?P<separator>[,;\t])\"?\s*", re.IGNORECASE)

_MOST_LISTED = 5

KNOWN_COLUMNS = f"{', '.join(FIELDS)}, and {_NOTE}NAME for a note"


def csv_records(lines: Iterable[str]) -> Iterator[Record]:
    """The rows below the header; those without any content are none.

    Raises:
        UnreadableFile: the header does not fit, or quotes make no sense from some line on.
    """
    feed = iter(lines)
    first = next(feed, "")
    hint = _EXCEL_SEPARATOR.fullmatch(first)
    header = next(feed, "") if hint else first
    rows = csv.reader(chain([header], feed), delimiter=hint["separator"] if hint else _separator(header), strict=True)
    before = 1 if hint else 0
    columns: Sequence[str] = ()
    for line, cells in _numbered(rows, before):
        if not any(cell.strip() for cell in cells):
            continue
        if columns:
            yield _record(line, columns, cells)
        else:
            columns = _columns(cells)
    if not columns:
        raise UnreadableFile(f"it is empty: its first line must name the columns, {KNOWN_COLUMNS}")


def _separator(header: str) -> str:
    def fitness(separator: str) -> tuple[int, int]:
        try:
            cells = next(csv.reader([header], delimiter=separator), [])
        except csv.Error as error:
            raise UnreadableFile(f"line 1: {_broken(str(error))}") from error
        return sum(_name(cell) in FIELDS for cell in cells), len(cells)

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


def _columns(cells: Sequence[str]) -> list[str]:
    names = [_name(cell) for cell in cells]
    if unknown := [name for name in names if name and name not in FIELDS and not _is_note(name)]:
        raise UnreadableFile(
            f"its first line must name the columns, and there is no {_listed(unknown)}: the columns are {KNOWN_COLUMNS}"
        )
    if missing := [name for name in REQUIRED if name not in names]:
        raise UnreadableFile(f"its header has no column {' and no column '.join(missing)}")
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise UnreadableFile(f"its header names {', '.join(twice)} twice")
    return names


def _name(cell: str) -> str:
    name = cell.strip()
    is_note = name[: len(_NOTE)].lower() == _NOTE
    return _NOTE + name[len(_NOTE) :].strip() if is_note else name.lower()


def _is_note(name: str) -> bool:
    return name.startswith(_NOTE) and len(name) > len(_NOTE)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(map(_guessed, names[:_MOST_LISTED])) + more


def _guessed(name: str) -> str:
    alike = get_close_matches(name.replace(" ", "_"), FIELDS, 1, 0.75)
    return repr(name[:40]) + (f" (is it {alike[0]}?)" if alike else "")


def _record(line: int, columns: Sequence[str], cells: Sequence[str]) -> Record:
    if not all(map(is_utf8, cells)):
        return Record(line, problems={"": 'is not UTF-8 (Excel has "CSV UTF-8" for that)'})
    if len(cells) < len(columns):
        return Record(line, problems={"": f"has only {len(cells)} of {len(columns)} cells"})
    if any(cell.strip() for cell in cells[len(columns) :]):
        more = f"has {len(cells)} cells, and the header names {len(columns)}"
        return Record(line, problems={"": f"{more}: a text with a separator needs quotes"})
    said = {name: cell for name, cell in zip(columns, cells, strict=False) if cell.strip()}
    if "" in said:
        return Record(line, problems={"": "has a cell below a column without a name"})
    return _typed(line, said)


def _typed(line: int, said: Mapping[str, str]) -> Record:
    """The record, with the notes in one object; only the text keeps its outer blanks."""
    fields: dict[str, Any] = {
        name: cell if name == "message" else cell.strip() for name, cell in said.items() if not _is_note(name)
    }
    notes = {name.removeprefix(_NOTE): cell.strip() for name, cell in said.items() if _is_note(name)}
    problems = {}
    if "metadata" in fields:
        try:
            fields["metadata"] = json.loads(fields["metadata"])
        except (ValueError, RecursionError):
            problems["metadata"] = 'must be a JSON object, such as {"invoice": 17}'
            del fields["metadata"]
    if notes and isinstance(fields.setdefault("metadata", {}), dict):
        fields["metadata"] = fields["metadata"] | notes
    return Record(line, fields, problems)
