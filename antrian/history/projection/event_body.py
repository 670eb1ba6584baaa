"""How much of an event the history keeps, and whether it belongs into the list of what was done; pure."""

from dataclasses import replace

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.history.journal.entry import EventEntry

_KNOWN = EventName.CONTACT_KNOWN
_INBOUND, _RECEIPT = EventName.RECEIPT_INBOUND, EventName.RECEIPT_STATUS.value


def kept_body(entry: EventEntry) -> bytes:
    """The event as it is kept: of many people only how many they are, of what is too large not the details."""
    event = entry.event
    if event.name == _KNOWN:
        recipients = event.details.get("recipients")
        others = {name: value for name, value in event.details.items() if name != "recipients"}
        count = {"count": len(recipients)} if isinstance(recipients, list) else {}
        short = replace(event, details=others | count)
        return _without_details(event) if entry.body is None else _encoded(short)
    return entry.body if entry.body is not None else _without_details(event)


def is_left_out(event: Event) -> bool:
    """Whether it tells of nothing that the history shows: a person who wrote, or received what was sent to them.

    There may be millions of these, and the contacts stream keeps them.
    """
    return event.name == _INBOUND or (event.name == _KNOWN and event.details.get("how") != "import")


def is_activity(event: Event) -> bool:
    """Whether it is about a lane, a job, an action or a person's wish, and not about one message's way."""
    return not event.name.startswith(("outcome.", "message.", _RECEIPT))


def _encoded(event: Event) -> bytes:
    try:
        return event.encode()
    except (UnicodeEncodeError, RecursionError):
        return _without_details(event)


def _without_details(event: Event) -> bytes:
    values = (event.name, event.at, event.lane, event.message_id, event.generation, event.attempt, event.source)
    return Event(*values, details={"too_large": True}).encode()
