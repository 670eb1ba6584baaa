"""Dead letters for people and for programs: tables, a card, rows for a file. Lists mask numbers by default."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from antrian.domain.human_time import age, moment, rfc3339
from antrian.domain.message import Priority
from antrian.domain.phone_number import mask
from antrian.domain.spreadsheet import plain_cell
from antrian.history.dead_letter import DeadLetter
from antrian.history.possible_arrival import may_have_arrived
from antrian.history.records import DeadGroup

#: The columns of an export; `failures` is left to the other format.
CSV_COLUMNS = (
    "message_id",
    "lane",
    "priority",
    "source",
    "phone_number",
    "message",
    "idempotency_key",
    "queued_at",
    "died_at",
    "attempts",
    "failure_class",
    "code",
    "detail",
)


@dataclass(slots=True)
class Group:
    """Dead letters that failed for one reason.

    Attributes:
        failure_class: of the last failure.
        code: of the last failure.
        count: how many.
        oldest: when the first of them was given up, unix seconds; None when unknown.
        newest: when the last of them was given up, unix seconds; None when unknown.
    """

    failure_class: str
    code: str
    count: int = 0
    oldest: float | None = None
    newest: float | None = None

    def add(self, letter: DeadLetter) -> None:
        """Count one more letter."""
        self.count += 1
        at = letter.died_at
        if at is not None:
            self.oldest = at if self.oldest is None else min(self.oldest, at)
            self.newest = at if self.newest is None else max(self.newest, at)


class Groups:
    """Dead letters counted by what went wrong, the most frequent first."""

    def __init__(self) -> None:
        self._groups: OrderedDict[tuple[str, str], Group] = OrderedDict()

    def add(self, letter: DeadLetter) -> None:
        """Count one more letter."""
        key = letter.failure_class, letter.code
        self._groups.setdefault(key, Group(*key)).add(letter)

    def ranked(self) -> list[Group]:
        """The groups, the largest first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)


def group_table(groups: Iterable[Group | DeadGroup], now: float) -> Table:
    """Groups for people."""
    table = Table("class", "code", "letters", "oldest", "newest")
    for group in groups:
        table.add_row(
            Text(group.failure_class),
            Text(group.code),
            str(group.count),
            age(group.oldest, now),
            age(group.newest, now),
        )
    return table


def letter_table(letters: Iterable[DeadLetter], now: float, *, masked: bool = True) -> Table:
    """Letters for people, a line each."""
    table = Table("message", "to", "given up", "lane", "priority", "attempts", "class", "code", "age")
    for letter in letters:
        table.add_row(
            Text(letter.message_id, overflow="fold"),
            _number(letter, masked=masked) or "unreadable",
            moment(letter.died_at),
            Text(letter.lane),
            Priority.label(letter.priority),
            str(letter.attempts),
            Text(letter.failure_class),
            Text(letter.code),
            age(letter.died_at, now),
        )
    return table


def card(letter: DeadLetter) -> Table:
    """One letter in full: every failure, and the message itself."""
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(letter):
        table.add_row(name, Text(value, overflow="fold"))
    return table


def summary(letter: DeadLetter, *, masked: bool = True) -> dict[str, Any]:
    """A letter for programs, without its text."""
    return {
        "message_id": letter.message_id,
        "phone_number": _number(letter, masked=masked),
        "lane": letter.lane,
        "priority": Priority.label(letter.priority),
        "source": letter.source,
        "attempts": letter.attempts,
        "generation": letter.generation,
        "failure_class": letter.failure_class,
        "code": letter.code,
        "died_at": letter.died_at,
        "readable": letter.message is not None,
        "may_have_arrived": may_have_arrived(letter),
    }


def details(letter: DeadLetter) -> dict[str, Any]:
    """A letter for programs, with everything that is known of it."""
    return summary(letter, masked=False) | {
        "queued_at": letter.message.queued_at if letter.message else None,
        "failures": [asdict(failure) for failure in letter.failures],
        "problem": letter.problem or None,
        "body": letter.message.body.model_dump(mode="json", exclude_none=True)
        if letter.message
        else _text(letter.body),
    }


def csv_row(letter: DeadLetter) -> dict[str, str]:
    """A letter as a line of a spreadsheet; a cell that would be taken for a formula gets an apostrophe in front."""
    body = letter.message.body if letter.message else None
    cells: Mapping[str, Any] = {
        "message_id": letter.message_id,
        "lane": letter.lane,
        "priority": Priority.label(letter.priority),
        "source": letter.source,
        "phone_number": body.phone_number.removeprefix("+") if body else "",
        "message": body.message if body else _text(letter.body),
        "idempotency_key": body.idempotency_key if body else "",
        "queued_at": rfc3339(letter.message.queued_at) if letter.message else "",
        "died_at": rfc3339(letter.died_at) or "unknown",
        "attempts": letter.attempts,
        "failure_class": letter.failure_class,
        "code": letter.code,
        "detail": letter.failures[-1].detail if letter.failures else letter.problem,
    }
    return {name: plain_cell("" if cells[name] is None else str(cells[name])) for name in CSV_COLUMNS}


def _facts(letter: DeadLetter) -> Iterable[tuple[str, str]]:
    yield "message", letter.message_id
    yield "lane", letter.lane
    yield "priority", Priority.label(letter.priority)
    yield "source", letter.source
    if letter.message:
        body = letter.message.body
        yield "queued", moment(letter.message.queued_at)
        yield "to", body.phone_number
        yield "text", body.message
        for name in ("idempotency_key", "expires_at", "metadata"):
            if getattr(body, name) is not None:
                yield name, str(getattr(body, name))
    else:
        yield "unreadable", letter.problem
        yield "body", _text(letter.body)
    for failure in letter.failures:
        words = f"{moment(failure.at)}  {failure.failure_class} / {failure.code}: {failure.detail}"
        yield f"attempt {failure.attempt}" if failure.attempt else "not attempted", words


def _number(letter: DeadLetter, *, masked: bool) -> str | None:
    """As in `antrian history search`: masked, or as people write it."""
    if letter.message is None:
        return None
    number = letter.message.body.phone_number
    return mask(number) if masked else number


def _text(body: bytes) -> str:
    return body.decode(errors="replace")
