"""To whom a message goes and who published it, for the live feed: an event itself names only the message's id."""

import asyncio
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool

from antrian.domain.phone_number import mask
from antrian.domain.priority import Priority
from antrian.history.queries.history import History

#: Messages that are remembered; more are looked up again.
_REMEMBERED = 500

#: Seconds after which a message that the history does not know yet is looked up once more: it may have been published
#: a moment ago.
_SECOND_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class MessageFacts:
    """What never changes about a message.

    Attributes:
        phone_number: E.164.
        source: the publishing service.
        priority: as the broker has it, 0 to 255.
    """

    phone_number: str
    source: str
    priority: int

    def as_json(self, *, masked: bool) -> dict[str, Any]:
        """The fields that are added to an event."""
        number = mask(self.phone_number) if masked and self.phone_number else self.phone_number
        return {
            "phone_number": number or None,
            "source_service": self.source or None,
            "priority": Priority.label(self.priority),
        }


#: The same fields where the message is not known, or the event is about no message.
NOTHING_KNOWN: Mapping[str, Any] = {"phone_number": None, "source_service": None, "priority": None}


class KnownMessages:
    """Looks messages up in the history, and remembers them; a history that is away or behind knows nothing.

    Args:
        history: asked in a thread of its own, never in the event loop.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: OrderedDict[str, MessageFacts] = OrderedDict()
        self._lock = threading.Lock()

    async def look_up(self, message_ids: Collection[str], *, again: bool = True) -> dict[str, MessageFacts]:
        """What is known of these messages; the unknown ones are missing.

        Args:
            message_ids: empty ones are left out.
            again: whether to look a second time, a moment later, for those that are not known yet.
        """
        wanted = {one for one in message_ids if one}
        if self._missing(wanted):
            await run_in_threadpool(self._read, wanted)
        if again and self._missing(wanted):
            await asyncio.sleep(_SECOND_LOOK)
            await run_in_threadpool(self._read, wanted)
        with self._lock:
            return {one: self._known[one] for one in wanted if one in self._known}

    def _missing(self, wanted: Collection[str]) -> list[str]:
        with self._lock:
            return [one for one in wanted if one not in self._known]

    def _read(self, wanted: Collection[str]) -> None:
        for message_id in self._missing(wanted):
            try:
                record = self._history.message(message_id)
            except sqlite3.Error:
                return
            if record is not None:
                self._remember(message_id, MessageFacts(record.phone_number, record.source, record.priority))

    def _remember(self, message_id: str, facts: MessageFacts) -> None:
        with self._lock:
            self._known[message_id] = facts
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
