"""One row of a file, as it was read; and what can be wrong with a row or with the whole file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from antrian.domain.errors import WrongUse
from publisher.request import MessageRequest

#: What a publisher's own code sets, and no row of a file.
_NOT_IN_FILES = frozenset({"message_id", "traceparent", "tracestate"})

#: What a row may say, as in `POST /messages`.
FIELDS = tuple(field.name for field in fields(MessageRequest) if field.name not in _NOT_IN_FILES)

#: What every row must say.
REQUIRED = ("phone_number", "message")


@dataclass(frozen=True, slots=True)
class ColumnSet:
    """What the rows of a kind of file say.

    Attributes:
        fields: what a row may say.
        required: what every row must say.
        has_notes: whether there may be columns for notes of one's own, too.
    """

    fields: tuple[str, ...]
    required: tuple[str, ...]
    has_notes: bool = False


#: Files of messages.
MESSAGE_COLUMNS = ColumnSet(FIELDS, REQUIRED, has_notes=True)


@dataclass(frozen=True, slots=True)
class Row:
    """A row.

    Attributes:
        line: where it begins in its file, from 1.
        fields: what it says; an empty cell says nothing.
        problems: what is wrong, by field; an empty name stands for the whole row.
    """

    line: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row cannot be a message.

    Attributes:
        line: where the row begins in its file, from 1.
        field: which field is wrong; empty for the whole row.
        reason: what is wrong, in a few words.
    """

    line: int
    field: str
    reason: str


class UnreadableFile(WrongUse):
    """The file as a whole, or from some line on, is not what it should be; nothing was queued."""
