from enum import IntEnum
from typing import Self

from antrian.domain.errors import MalformedMessage


class Priority(IntEnum):
    """The four priorities that publishers choose from, with their numbers in the broker."""

    LOW = 1
    NORMAL = 5
    HIGH = 9
    URGENT = 10

    @classmethod
    def parse(cls, value: "str | int | Priority") -> Self:
        """The priority of that name (in any case) or number.

        Raises:
            MalformedMessage: `unknown-priority`.
        """
        if type(value) is cls:
            return value
        try:
            return cls[value.strip().upper()] if isinstance(value, str) else cls(value)
        except (KeyError, ValueError):
            raise MalformedMessage("unknown-priority", "the priority must be low, normal, high or urgent") from None

    @staticmethod
    def exact_label(priority: int) -> str:
        """The name of one of the four numbers, `other` for any other: a metric's label must not lump them together."""
        try:
            return Priority(priority).name.lower()
        except ValueError:
            return "other"

    @staticmethod
    def label(priority: int) -> str:
        """The name for any number that the broker may hold, 0 to 255; strangers may have set one in between."""
        if priority >= Priority.URGENT:
            return "urgent"
        if priority >= Priority.HIGH:
            return "high"
        return "normal" if priority >= Priority.NORMAL else "low"
