"""Which of the messages that wait are cleared; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antrian.domain.errors import AntrianError
from antrian.domain.message import Message
from antrian.domain.priority import Priority


class PartlyUnclearable(AntrianError):
    """A part of this lane cannot be taken out, only the whole."""

    def __init__(self, lane: str) -> None:
        super().__init__(
            f"lane {lane} is a quorum queue, which cannot be cleared in part: "
            "clear all of it, or cancel the messages one by one"
        )


@dataclass(frozen=True, slots=True)
class ClearFilter:
    """What must fit; everything that is given.

    Attributes:
        source: the publishing service, exactly.
        key_prefix: how the idempotency key begins.
        priority: low, normal, high or urgent.
        ids: message ids.
    """

    source: str | None = None
    key_prefix: str | None = None
    priority: str | None = None
    ids: frozenset[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every message fits."""
        return self == ClearFilter()

    @property
    def reads_contents(self) -> bool:
        """Whether a message has to be read to know if it fits."""
        return self.source is not None or self.key_prefix is not None

    def has(self, message_id: str, priority: int) -> bool:
        """Whether the id and the broker's priority fit."""
        fits_id = self.ids is None or message_id in self.ids
        return fits_id and (self.priority is None or Priority.label(priority) == self.priority)

    def says(self, message: Message) -> bool:
        """Whether what the message says fits."""
        body = message.body
        fits_source = self.source is None or body.source == self.source
        return fits_source and (self.key_prefix is None or (body.idempotency_key or "").startswith(self.key_prefix))

    def as_details(self) -> Mapping[str, Any]:
        """For the journal: what was asked for, without a list of any length."""
        given = {"source": self.source, "key_prefix": self.key_prefix, "priority": self.priority}
        told: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        return told | ({"ids": len(self.ids)} if self.ids is not None else {})
