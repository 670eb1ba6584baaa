"""News for every open browser: one reading serves them all, and a slow browser loses news rather than memory."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from admin_api.schemas.values import with_priority_name
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.private_text import hide_address, hide_numbers
from antrian.history.projection.delivery import DeliveryChange

#: Events that wait for a browser at most; of more, the oldest are dropped and the next reading tells the sum anyway.
_MOST_WAITING = 100


@dataclass(frozen=True, slots=True)
class News:
    """One piece of news: the kind (`event`), and its JSON value."""

    kind: str
    value: dict[str, Any]


class Listener:
    """One open browser.

    Args:
        lane: whose news it wants.
    """

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self._waiting: deque[News] = deque(maxlen=_MOST_WAITING)
        self._stirred = asyncio.Event()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether the listening is to end."""
        return self._closed

    def tell(self, news: News) -> None:
        """Hand over a piece of news; from the event loop only."""
        self._waiting.append(news)
        self._stirred.set()

    def close(self) -> None:
        """End the listening."""
        self._closed = True
        self._stirred.set()

    async def take(self, patience: float) -> list[News]:
        """All news that there is, waiting up to `patience` seconds for the first."""
        if not self._waiting and not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), patience)
        self._stirred.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


def told(change: DeliveryChange) -> Event:
    """What became of a message, as an event: the receipt itself does not always name it."""
    details = {"status": change.delivery}
    return Event(EventName.RECEIPT_STATUS, change.at, change.lane, change.message_id, details=details)


class Broadcast:
    """Brings events from the observer's thread to the listeners in the event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: set[Listener] = set()
        self._closed = False

    def attach(self) -> None:
        """Belong to the running event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every listening; safe from any thread."""
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_all)

    def hear(self, event: Event) -> None:
        """Take an event; safe from any thread."""
        if self._listeners and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, event)

    def listener(self, lane: str) -> Listener:
        """A new listener; give it back with `forget`."""
        listener = Listener(lane)
        if self._closed:
            listener.close()
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        """The browser is gone."""
        self._listeners.discard(listener)

    def _tell(self, event: Event) -> None:
        news = News("event", public_event(event))
        for listener in self._listeners:
            if listener.lane == event.lane:
                listener.tell(news)

    def _close_all(self) -> None:
        for listener in self._listeners:
            listener.close()


#: Details of events that say nothing about who is written to, or what.
_PUBLIC_DETAILS = frozenset(
    {
        "provider_id",
        "pause",
        "hold",
        "due_at",
        "next_attempt",
        "reason",
        "until",
        "rule",
        "purpose",
        "code",
        "failure_class",
        "detail",
        "priority",
        "undo_id",
        "scope",
        "queued",
        "failed",
        "in_flight",
        "retry_after",
        "queue",
        "copy",
        "job_id",
        "unlisted",
        "restored",
        "count",
        "trace_id",
        "consumer",
        "wait",
        "provider",
        "settled_by",
        "state",
        "status",
    }
)


#: Of these, the ones that are free text, which may quote a number.
_WORDS = frozenset({"detail", "reason"})


def public_details(details: Any) -> dict[str, Any]:
    """An event's details as everybody may see them: neither numbers, nor texts, nor keys."""
    known = {name: value for name, value in dict(details).items() if name in _PUBLIC_DETAILS}
    known = with_priority_name(known)
    if isinstance(provider_id := known.get("provider_id"), str):
        known["provider_id"] = hide_address(provider_id)
    return known | {name: hide_numbers(known[name]) for name in _WORDS & known.keys() if isinstance(known[name], str)}


def public_event(event: Event) -> dict[str, Any]:
    """An event as everybody may see it."""
    return {
        "at": event.at,
        "name": event.name,
        "lane": event.lane,
        "message_id": event.message_id,
        "generation": event.generation,
        "attempt": event.attempt,
        "source": event.source,
        "details": public_details(event.details),
    }
