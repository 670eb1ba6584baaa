"""From a row to the message that it asks for, or to everything that is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from antrian.domain.body import build
from antrian.domain.errors import MalformedMessage
from antrian.domain.lane import unknown_lane
from antrian.domain.priority import Priority
from antrian.operations.bulk_import.row import REQUIRED, Refusal, Row
from publisher.errors import InvalidMessage
from publisher.request import MessageRequest, compose, delay_until
from publisher.time_expression import parse_moment

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for rows that do not say.

    Attributes:
        lane: None where there are several, and none was named.
        source: the publishing service.
        priority: how urgent.
    """

    lane: str | None
    source: str
    priority: Priority = Priority.NORMAL


def checked_defaults(lane: str | None, source: str, priority: str) -> Defaults:
    """The defaults as they were typed.

    Raises:
        MalformedMessage: no message could have such a source or priority.
    """
    build(phone_number="+6281234567890", message="x", source=source)
    return Defaults(lane, source, Priority.parse(priority))


class RowCheck:
    """Everything that a publisher would find, and what only the command line can know.

    Args:
        lanes: that there are.
        defaults: for what a row does not say.
        now: an aware time; relative moments count from it.
    """

    def __init__(self, lanes: Sequence[str], defaults: Defaults, now: datetime) -> None:
        self._lanes = lanes
        self._defaults = defaults
        self._now = now

    def request(self, record: Row) -> MessageRequest | list[Refusal]:
        """What to publish, complete and in its usual spelling; or what is wrong, field by field."""
        problems = dict(record.problems)
        if "" not in problems:
            values = self._values(record.fields, problems)
            request = self._composed(values, problems)
            if request is not None and not problems:
                return request
        return [Refusal(record.line, name, reason[:_LONGEST_REASON]) for name, reason in problems.items()]

    def _values(self, fields: Mapping[str, Any], problems: dict[str, str]) -> dict[str, Any]:
        """The values that make sense; why others do not goes to the problems."""
        values: dict[str, Any] = {}
        for name, value in fields.items():
            try:
                if value is not None and name not in problems:
                    values[name] = self._value(name, value)
            except (ValueError, MalformedMessage) as error:
                problems[name] = str(error)
        for name in REQUIRED:
            if name not in values:
                problems.setdefault(name, "is missing")
        return values

    def _value(self, name: str, value: object) -> object:
        if name == "metadata":
            if not isinstance(value, Mapping):
                raise ValueError('must be a JSON object, such as {"invoice": 17}')
            return value
        if not isinstance(value, str):
            raise ValueError("must be text")  # noqa: TRY004 (a wrong row, no programming error)
        if name == "priority":
            return Priority.parse(value)
        if name == "lane" and value not in self._lanes:
            raise ValueError(unknown_lane(value, self._lanes).detail)
        return parse_moment(value, self._now) if name in {"deliver_at", "expires_at"} else value

    def _composed(self, values: dict[str, Any], problems: dict[str, str]) -> MessageRequest | None:
        lane = values.setdefault("lane", self._defaults.lane)
        if lane is None:
            problems.setdefault("lane", f"is missing; the lanes are: {', '.join(self._lanes)}")
            values["lane"] = self._lanes[0]
        values.setdefault("source", self._defaults.source)
        values.setdefault("priority", self._defaults.priority)
        self._check_times(values, problems)
        try:
            request = MessageRequest(**{**dict.fromkeys(REQUIRED, ""), **values})
            message = compose(request, self._defaults.source, self._now.timestamp())
        except InvalidMessage as error:
            for name, reason in (error.fields or {"": str(error)}).items():
                problems.setdefault(name, reason)
            return None
        return replace(request, phone_number=message.body.phone_number)

    def _check_times(self, values: Mapping[str, Any], problems: dict[str, str]) -> None:
        deliver_at, expires_at = values.get("deliver_at"), values.get("expires_at")
        try:
            delay_until(deliver_at, self._now.timestamp())
        except InvalidMessage as error:
            problems |= error.fields
        if expires_at is not None and expires_at <= max(self._now, deliver_at or self._now):
            problems["expires_at"] = "the message would expire before it may be sent"
