"""From what a provider told to the events that are written: pure.

A message of a person makes them known to the sender, links their identities, and may be a wish; each is an event of
its own beside the report. That nothing here raises, whatever a signed body holds, is `events_of`'s promise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from antrian.broker.event_log import PublishArguments, event_arguments
from antrian.broker.topology import Names
from antrian.contacts.fold import LONGEST_WORDS
from antrian.contacts.identity import identity_key, person_key
from antrian.domain import contact_event
from antrian.domain.contact import ALL_PURPOSES, Purpose
from antrian.domain.contact_event import MOST_RECIPIENTS
from antrian.domain.events import Event
from antrian.domain.lane import Lane
from antrian.domain.opt_out import read_wish
from antrian.domain.receipt import (
    LONGEST_RAW,
    DeliveryReceipt,
    InboundMessage,
    ProviderEvent,
    UnreadableReport,
    reported,
)

#: Values within values that are kept of an account's notice: JSON can hold more of them than Python can copy.
_DEEPEST = 20
#: Seconds; an inbound message that is younger counts as written when we heard of it.
_LATE = 60.0


def publications_of(
    told: Sequence[ProviderEvent], lane: Lane, names: Names, *, at: float, source: str
) -> list[PublishArguments]:
    """How the events that a request leads to are published, in order.

    Args:
        told: what the request told.
        lane: whose webhook it came to.
        names: of the namespace.
        at: when we heard it, unix seconds.
        source: which process writes them.
    """
    about = {"lane": lane.name, "provider": lane.provider, "sender": lane.sender_key}
    published: list[PublishArguments] = []
    for one in told:
        try:
            event = reported(one, **about, at=at, source=source)
            made = [_published(names, event)]
            if isinstance(one, InboundMessage):
                made += [_published(names, event) for event in _of_inbound(one, at, source)]
            published += made
        except (RecursionError, ValueError, TypeError, AttributeError, KeyError) as error:
            # An adapter let through what it should not have; the other parts count.
            lost = UnreadableReport(reason=f"a part could not be written down ({type(error).__name__})")
            published.append(_published(names, reported(lost, **about, at=at, source=source)))
    return published + [_published(names, event) for event in _known(told, lane, at, source)]


def unreadable(body: bytes, reason: str) -> UnreadableReport:
    """What a body is that its reader failed on."""
    return UnreadableReport(reason=reason, raw=body[:LONGEST_RAW].decode("utf-8", "replace"))


def word_of(told: ProviderEvent) -> str:
    """What it is counted as: a receipt's status, else its kind."""
    return told.status.value if isinstance(told, DeliveryReceipt) else _WORDS[type(told).__name__]


_WORDS = {
    "InboundMessage": "inbound",
    "SessionNotice": "session",
    "AccountNotice": "account",
    "UnreadableReport": "unreadable",
}


def _known(told: Iterable[ProviderEvent], lane: Lane, at: float, source: str) -> Iterator[Event]:
    """One event for all who wrote at one time: a repeated one says nothing new."""
    wrote: dict[float, dict[str, None]] = {}
    for one in told:
        if isinstance(one, InboundMessage) and _is_written(one) and person_key(one.recipient) is not None:
            wrote.setdefault(_when_written(one, at), {})[one.recipient] = None
    for moment, names in wrote.items():
        people = list(names)
        for start in range(0, len(people), MOST_RECIPIENTS):
            some = people[start : start + MOST_RECIPIENTS]
            yield contact_event.known(lane.sender_key, some, "inbound", at=moment, source=source)


def _is_written(message: InboundMessage) -> bool:
    """Whether a person wrote it. A preference that comes by itself is no message: it opens no window."""
    return not message.preference or message.kind in {"text", "button"}


def _when_written(message: InboundMessage, at: float) -> float:
    """Providers deliver again for days, and the day in which a person may be answered began when they wrote."""
    is_late = message.at is not None and at - message.at > _LATE
    return message.at if is_late and message.at is not None else at


def _of_inbound(message: InboundMessage, at: float, source: str) -> Iterator[Event]:
    person = message.recipient
    if person_key(person) is None:
        return
    identities = {
        kind: identity for kind, identity in message.identities.items() if identity_key(kind, identity) is not None
    }
    if identities and person.startswith("+"):
        yield contact_event.linked(person, identities, at=at, source=source)
    if (wanted := _wish(message)) is not None:
        is_out, purpose = wanted
        words = message.text.strip()[:LONGEST_WORDS]
        # In doubt a person wants nothing: a START that is delivered again, late, must not take back a later STOP.
        moment = at if is_out else _when_written(message, at)
        yield contact_event.opted(
            person, purpose, is_out=is_out, at=moment, source=source, by=person, channel="inbound", words=words
        )


def _wish(message: InboundMessage) -> tuple[bool, str] | None:
    """Whether the person opts out, and of what; None where they say nothing of the kind."""
    wish = read_wish(message.text)
    if message.preference in {"stop", "start"}:
        is_out = message.preference == "stop"
        if wish is not None and wish.opts_out == is_out:
            return is_out, wish.purpose
        # A switch of WhatsApp's own, without a message, is about marketing only.
        return is_out, Purpose.MARKETING if is_out or not _is_written(message) else ALL_PURPOSES
    return None if wish is None else (wish.opts_out, wish.purpose)


def _published(names: Names, event: Event) -> PublishArguments:
    if not event.message_id.isascii():
        # None of ours; and a routing key has few bytes.
        event = replace(event, message_id="")
    try:
        arguments = event_arguments(names, event)
    except UnicodeEncodeError:
        # JSON can say what UTF-8 cannot: halves of characters.
        arguments = event_arguments(names, replace(event, details=_clean(event.details)))
    # Given back by their routing keys: events with one key go the same way, so they need no id of their own.
    return PublishArguments(*arguments[:-1], mandatory=True)


def _clean(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {_clean(str(name)): _clean(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one, depth + 1) for one in value]
    return value
