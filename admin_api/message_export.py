"""Messages that a search found, as a file: one line each, written as they are read, so that any number of them fits."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from io import StringIO

from antrian.domain.human_time import rfc3339
from antrian.domain.priority import Priority
from antrian.domain.spreadsheet import plain_cell
from antrian.history.records import MessageRecord
from antrian.operations.dead_letters.dead_letter_export import ExportFormat

CSV_COLUMNS = (
    "message_id",
    "lane",
    "state",
    "priority",
    "source",
    "phone_number",
    "message",
    "idempotency_key",
    "queued_at",
    "sent_at",
    "changed_at",
    "attempt",
    "provider_id",
    "failure_class",
    "code",
    "detail",
    "delivery",
    "delivered_at",
    "read_at",
    "delivery_code",
    "provider",
)
_TIMES = ("queued_at", "sent_at", "changed_at", "delivered_at", "read_at")


def lines(records: Iterable[MessageRecord], form: ExportFormat) -> Iterator[str]:
    """The file, line by line.

    Args:
        records: read one by one, as the lines are asked for.
        form: how.
    """
    if form is ExportFormat.JSONL:
        return (json.dumps(_known(record), ensure_ascii=False) + "\n" for record in records)
    return _csv_lines(records)


def _csv_lines(records: Iterable[MessageRecord]) -> Iterator[str]:
    yield _csv_line(CSV_COLUMNS)
    for record in records:
        known = _known(record)
        known |= {name: rfc3339(getattr(record, name) or None) for name in _TIMES}
        known["phone_number"] = record.phone_number.removeprefix("+")
        yield _csv_line([plain_cell("" if known[name] is None else str(known[name])) for name in CSV_COLUMNS])


def _known(record: MessageRecord) -> dict[str, object]:
    values = asdict(record)
    return values | {"message": values.pop("text"), "priority": Priority.label(record.priority)}


def _csv_line(cells: Iterable[str]) -> str:
    piece = StringIO()
    csv.writer(piece, lineterminator="\n").writerow(cells)
    return piece.getvalue()
