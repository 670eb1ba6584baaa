"""Messages that a search found, as a file: one line each, written as they are read, so that any number of them fits."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from io import StringIO

from admin_api.desk.dead_letter_export import ExportFormat
from admin_api.history.records import MessageRecord
from admin_api.spreadsheet import plain_cell
from broker.human_time import rfc3339
from broker.priority import Priority

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
)
_TIMES = ("queued_at", "sent_at", "changed_at")


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
        times = (record.queued_at, record.sent_at, record.changed_at)
        known |= {name: rfc3339(at or None) for name, at in zip(_TIMES, times, strict=True)}
        known["phone_number"] = record.phone_number.removeprefix("+")
        yield _csv_line([plain_cell("" if known[name] is None else str(known[name])) for name in CSV_COLUMNS])


def _known(record: MessageRecord) -> dict[str, object]:
    values = asdict(record)
    return values | {"message": values.pop("text"), "priority": Priority.label(record.priority)}


def _csv_line(cells: Iterable[str]) -> str:
    piece = StringIO()
    csv.writer(piece, lineterminator="\n").writerow(cells)
    return piece.getvalue()
