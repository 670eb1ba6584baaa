"""What puts a message back that a clearing or a purge took out; no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pika

from antrian.broker.queue_scan.publication import Publication
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import ring
from antrian.domain.body import build
from antrian.domain.delay_ladder import ladder_key
from antrian.domain.errors import MalformedMessage
from antrian.domain.event_name import EventName
from antrian.domain.headers import GENERATION, bounded
from antrian.domain.lifecycle import FAILURES
from antrian.domain.message import AttemptFailure, Message, encode
from antrian.history.header_json import unpack, unpack_letter
from antrian.history.projection.columns import body_fields
from antrian.history.records import LifeEntry
from antrian.history.removal import Removed
from antrian.operations.dead_letters.redrive_steps import dead_letter_publication

_COPIES = frozenset({EventName.QUEUED, EventName.SCHEDULED})
#: What a later copy carries as a failure: a send that did not arrive is one, too.
_FAILED_ATTEMPTS = FAILURES | {EventName.UNDELIVERED}
_PERSISTENT = 2


def is_back(removed: Removed, life: Sequence[LifeEntry]) -> bool:
    """Whether the copy that an undo publishes is in the broker already: an earlier undo was interrupted after it.

    The journal gets every copy in the same publish as the queue does, so it cannot be wrong about this.
    It is also said of a copy that was spent when it was taken out, because a later one was there already.
    """
    if removed.dead is None:
        return removed.message.generation > removed.generation or any(
            entry.name in _COPIES and entry.generation > removed.generation for entry in life
        )
    about = (EventName.BURIED, EventName.PURGED)
    letters = [entry for entry in life if entry.generation == removed.generation and entry.name in about]
    return bool(letters) and letters[-1].name == EventName.BURIED


def restoration(
    names: Names, removed: Removed, life: Sequence[LifeEntry], undo_id: str, now: float
) -> Publication | None:
    """What to publish; None when it is unknown what the message was.

    A message that waited goes back into its lane, or on to the delay ladder for what is left of its time, as the next
    generation: its own copy is spent. A dead letter goes back among the dead letters as it was.

    Args:
        names: of the namespace.
        removed: what was taken out.
        life: what happened to the message, oldest first.
        undo_id: of the clearing or purge.
        now: unix seconds.
    """
    if (dead := removed.dead) is not None:
        copy = removed.message.message_id, removed.generation
        headers = _kept_headers(life, removed.generation, undo_id) or unpack(dict(dead.headers))
        return dead_letter_publication(
            names, copy, lane=dead.lane, priority=dead.priority, source=dead.source, body=dead.body, headers=headers
        )
    # A purged letter that is not on record any more is not one that waited in a lane.
    made = None if removed.queue == names.dead else _encoded(removed, life) or _kept(removed, life, undo_id)
    if made is None:
        return None
    body, properties = made
    lane = removed.message.lane
    if removed.due_at is not None and removed.due_at > now:
        key = ladder_key(removed.due_at - now, lane)
        ring(properties, lane, later=True)
        return Publication(names.scheduled, key, body, properties, mandatory=True)
    ring(properties, lane)
    return Publication(names.messages, lane, body, properties, mandatory=True)


def _kept_headers(life: Sequence[LifeEntry], generation: int, undo_id: str) -> dict[str, Any] | None:
    """The headers of a purged letter, as the event about its purge kept them."""
    for entry in reversed(life):
        details = entry.details
        is_it = entry.name == EventName.PURGED and entry.generation == generation and details.get("undo_id") == undo_id
        if is_it and isinstance(details.get("headers"), Mapping):
            return dict(unpack(details["headers"]))
    return None


def _encoded(removed: Removed, life: Sequence[LifeEntry]) -> tuple[bytes, pika.BasicProperties] | None:
    """The message made anew from what is known of it; None when that is no message."""
    record = removed.message
    try:
        body = build(**body_fields(record))
    except MalformedMessage:
        return None
    attempt, failures = way_behind(life, removed.generation)
    queued_at = record.queued_at or 0.0
    generation = removed.generation + 1
    message = Message(record.message_id, record.lane, record.priority, body, queued_at, attempt, generation, failures)
    return encode(replace(message, due_at=scheduled_for(life)))


def scheduled_for(life: Sequence[LifeEntry]) -> float | None:
    """The time that the publisher wanted, unix seconds; later copies waited on the ladder for reasons of ours."""
    first = next((entry for entry in life if entry.name == EventName.SCHEDULED and not entry.generation), None)
    due_at = first.details.get("due_at") if first else None
    return float(due_at) if isinstance(due_at, int | float) else None


def _kept(removed: Removed, life: Sequence[LifeEntry], undo_id: str) -> tuple[bytes, pika.BasicProperties] | None:
    """An unreadable message, as the event about its clearing kept it."""
    for entry in life:
        letter = entry.details.get("letter")
        if entry.name == EventName.CLEARED and entry.details.get("undo_id") == undo_id and isinstance(letter, Mapping):
            body, headers = unpack_letter(letter)
            properties = pika.BasicProperties(
                message_id=removed.message.message_id,
                priority=removed.message.priority,
                delivery_mode=_PERSISTENT,
                headers=_next_generation(headers, removed.generation),
            )
            return body, properties
    return None


def _next_generation(headers: dict[str, Any], generation: int) -> dict[str, Any]:
    # A header of ours that makes no sense may be what is wrong with the message: it stays.
    is_ours = isinstance(headers.get(GENERATION, 0), int)
    return headers | {GENERATION: generation + 1} if is_ours else headers


def way_behind(life: Sequence[LifeEntry], generation: int) -> tuple[int, tuple[AttemptFailure, ...]]:
    """Which attempt a copy of a message waited for, and the failures behind it, as its headers said.

    Args:
        life: what happened to the message, oldest first.
        generation: of the copy.
    """
    attempt = 1
    failures: list[AttemptFailure] = []
    for entry in life:
        if entry.generation < generation and entry.name in _FAILED_ATTEMPTS and entry.details.get("hold") is None:
            failures.append(_failure(entry))
        elif entry.generation < generation and entry.name == EventName.RETRYING:
            given = entry.details.get("next_attempt")
            attempt = given if isinstance(given, int) and given > 0 else entry.attempt + 1
        elif entry.generation <= generation and entry.name in _COPIES:
            attempt = max(entry.attempt, 1)
    return attempt, bounded(tuple(failures))


def _failure(entry: LifeEntry) -> AttemptFailure:
    details = entry.details
    is_crash = entry.name == EventName.UNCERTAIN
    return AttemptFailure(
        attempt=entry.attempt,
        at=entry.at,
        failure_class="uncertain" if is_crash else str(details.get("failure_class", "uncertain")),
        code="crash" if is_crash else str(details.get("code", "")),
        detail=str(details.get("detail", "")),
    )
