"""The first pass: every row is read and checked, and nothing is published."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from antrian.operations.bulk_import.bounded_list import Listing
from antrian.operations.bulk_import.content_key import content_of, derived_key, key_content
from antrian.operations.bulk_import.duplicate_counter import DuplicateCounter
from antrian.operations.bulk_import.row import Refusal, Row
from antrian.operations.bulk_import.row_check import RowCheck
from antrian.operations.bulk_import.spool import Order, Spool
from publisher.request import MessageRequest

#: Rows from one word about the progress to the next.
_STEP = 500


@dataclass(frozen=True, slots=True)
class Repetition:
    """A row with a key of its own that an earlier row has, too.

    Attributes:
        line: where it begins.
        first: where the first row with this key begins.
    """

    line: int
    first: int


@dataclass(slots=True)
class Findings:
    """What is in a file.

    Attributes:
        read: rows.
        wrong: rows that cannot be messages.
        refusals: what is wrong with them: one or several for each.
        repeated: rows whose key an earlier row has; they are not published.
    """

    read: int = 0
    wrong: int = 0
    refusals: Listing[Refusal] = field(default_factory=Listing)
    repeated: Listing[Repetition] = field(default_factory=Listing)


def survey(
    records: Iterable[Row],
    check: RowCheck,
    spool: Spool,
    *,
    batch: str = "",
    on_progress: Callable[[int], None] = lambda _read: None,
) -> Findings:
    """Check every row, and give those that are right a key and a place in the spool.

    Args:
        records: of a file.
        check: tells right from wrong.
        spool: gets the orders, in the file's order.
        batch: rows of another batch are other messages.
        on_progress: takes the number of rows that were read so far.

    Raises:
        UnreadableFile: the file cannot be read to its end.
    """
    findings = Findings()
    with DuplicateCounter() as tally:
        for record in records:
            findings.read += 1
            if findings.read % _STEP == 0:
                on_progress(findings.read)
            found = check.request(record)
            kept = _keyed(record, found, tally, batch) if isinstance(found, MessageRequest) else found
            if isinstance(kept, MessageRequest):
                spool.add(Order(record.line, kept))
            elif isinstance(kept, Repetition):
                findings.repeated.add(kept)
            else:
                findings.wrong += 1
                findings.refusals.extend(kept)
    return findings


def _keyed(record: Row, request: MessageRequest, tally: DuplicateCounter, batch: str) -> MessageRequest | Repetition:
    """The request with its key, unless an earlier row has it."""
    if request.idempotency_key is not None:
        number, first = tally.count(key_content(request), record.line)
        return Repetition(record.line, first) if number > 1 else request
    content = content_of(request, record.fields.get("deliver_at"), batch)
    number, _ = tally.count(content, record.line)
    return replace(request, idempotency_key=derived_key(content, number))
