"""The first pass: every row is read and checked, and nothing is published."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from admin_api.bulk.content_key import content_of, derived_key, key_content
from admin_api.bulk.listing import Listing
from admin_api.bulk.record import Record, Refusal
from admin_api.bulk.row_check import RowCheck
from admin_api.bulk.spool import Order, Spool
from admin_api.bulk.tally import Tally
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
    records: Iterable[Record],
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
    with Tally() as tally:
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


def _keyed(record: Record, request: MessageRequest, tally: Tally, batch: str) -> MessageRequest | Repetition:
    """The request with its key, unless an earlier row has it."""
    if request.idempotency_key is not None:
        number, first = tally.count(key_content(request), record.line)
        return Repetition(record.line, first) if number > 1 else request
    content = content_of(request, record.fields.get("deliver_at"), batch)
    number, _ = tally.count(content, record.line)
    return replace(request, idempotency_key=derived_key(content, number))
