"""Rows from JSONL: an object on each line, with the field names of `POST /messages`; pure."""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from antrian.operations.bulk_import.row import MESSAGE_COLUMNS, ColumnSet, Row, UnreadableFile
from antrian.operations.bulk_import.text_lines import is_utf8

#: Characters of a stranger's field name that are shown.
_SHOWN = 40


def json_records(
    lines: Iterable[str], ignored: Collection[str] = (), wanted: ColumnSet = MESSAGE_COLUMNS
) -> Iterator[Row]:
    """The row in each line; blank lines are none.

    Args:
        lines: of the file.
        ignored: fields that are left out.
        wanted: the fields that there may be.

    Raises:
        UnreadableFile: it is one JSON list, and not a line for each object.
    """
    is_first = True
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text:
            if is_first and text.startswith("["):
                raise UnreadableFile("it is one JSON list: write one object on each line, as `jq -c '.[]'` does")
            is_first = False
            yield _record(number, text, frozenset(ignored), wanted)


def _record(number: int, text: str, ignored: frozenset[str], wanted: ColumnSet) -> Row:
    if not is_utf8(text):
        return Row(number, problems={"": "is not UTF-8"})
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        return Row(number, problems={"": f"is not JSON: {error.msg.lower()} at character {error.pos + 1}"})
    except (ValueError, RecursionError):
        return Row(number, problems={"": "is not strictly valid JSON"})
    if not isinstance(fields, dict):
        return Row(number, problems={"": "is JSON, but not an object"})
    said = {name: value for name, value in fields.items() if name not in ignored}
    return Row(number, said, _strangers(said, wanted))


def _strangers(fields: dict[str, Any], wanted: ColumnSet) -> dict[str, str]:
    known = f"is not a field; the fields are {', '.join(wanted.fields)}"
    return {_shown(name): known for name in fields if name not in wanted.fields}


def _shown(name: str) -> str:
    return name[:_SHOWN] if name.isprintable() else ascii(name[:_SHOWN])
