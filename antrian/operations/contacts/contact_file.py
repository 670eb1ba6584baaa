"""A file of people who are known already: every row is read and checked before any is imported; no I/O but the file."""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from antrian.contacts.identity import written
from antrian.domain.contact_event import MOST_RECIPIENTS
from antrian.domain.errors import MalformedMessage
from antrian.domain.lane_limits import parse_timezone
from antrian.domain.phone_number import normalize
from antrian.operations.bulk_import.bounded_list import Listing
from antrian.operations.bulk_import.row import ColumnSet, Refusal, Row

#: What a row may say.
CONTACT_COLUMNS = ColumnSet(("phone_number", "timezone"), ("phone_number",))

#: Rows from one word about the progress to the next.
_STEP = 500


@dataclass(slots=True)
class ContactFindings:
    """What is in a file.

    Attributes:
        read: rows.
        wrong: rows that name nobody.
        refusals: what is wrong with them: one or several for each.
        numbers: those of the other rows, by time zone; empty where a row names none. A million take 8 MB.
    """

    read: int = 0
    wrong: int = 0
    refusals: Listing[Refusal] = field(default_factory=Listing)
    numbers: "dict[str, array[int]]" = field(default_factory=dict)

    @property
    def right(self) -> int:
        """Rows that can be imported."""
        return sum(map(len, self.numbers.values()))

    def batches(self) -> Iterator[tuple[str, list[str]]]:
        """Time zone and recipients, at most as many as one event names."""
        for zone, numbers in sorted(self.numbers.items()):
            for start in range(0, len(numbers), MOST_RECIPIENTS):
                yield zone, [written(number) for number in numbers[start : start + MOST_RECIPIENTS]]


def survey_contacts(rows: Iterable[Row], on_progress: Callable[[int], None] = lambda _read: None) -> ContactFindings:
    """Check every row.

    Args:
        rows: of a file.
        on_progress: takes the number of rows that were read so far.

    Raises:
        UnreadableFile: the file cannot be read to its end.
    """
    findings = ContactFindings()
    for row in rows:
        findings.read += 1
        if findings.read % _STEP == 0:
            on_progress(findings.read)
        problems = dict(row.problems)
        number, zone = _checked(row, problems)
        if problems:
            findings.wrong += 1
            findings.refusals.extend(Refusal(row.line, name, reason) for name, reason in problems.items())
        else:
            findings.numbers.setdefault(zone, array("q")).append(int(number))
    return findings


def _checked(row: Row, problems: dict[str, str]) -> tuple[str, str]:
    """The number and the zone; what is wrong goes to the problems."""
    number = zone = ""
    if "" in problems:
        return number, zone
    phone, where = row.fields.get("phone_number"), row.fields.get("timezone")
    if phone is None:
        problems.setdefault("phone_number", "is missing")
    elif not isinstance(phone, str):
        problems["phone_number"] = "must be text"
    else:
        try:
            number = normalize(phone)
        except MalformedMessage as error:
            problems["phone_number"] = str(error)
    try:
        zone = "" if where is None else parse_timezone(where)
    except ValueError as error:
        problems["timezone"] = str(error)
    return number, zone
