"""What is published before a dead letter may be removed from its queue: events and copies; no I/O."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pika

from antrian.broker.queue_scan.publication import Publication, event_publication
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import ring
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import CONTENT_ENCODING, CONTENT_TYPE, Message, encode
from antrian.history.dead_letter import DeadLetter
from antrian.history.header_json import pack, pack_letter
from antrian.operations.dead_letters.edited_copy import Edits, edited_copy
from antrian.operations.dead_letters.selection import Copy

_PERSISTENT = 2
#: The most that an AMQP short string holds, in bytes.
_SHORT_STRING = 255


class RedriveSteps:
    """What replaces a dead letter, step by step.

    Args:
        names: of the namespace.
        actor: who acts, for the journal.
    """

    def __init__(self, names: Names, actor: str) -> None:
        self._names = names
        self._actor = actor

    def back_in_lane(self, letter: DeadLetter, job_id: str = "") -> Sequence[Publication] | None:
        """The message again, as if for the first attempt; None when it is unreadable."""
        if letter.message is None:
            return None
        about = {"job_id": job_id} if job_id else {}
        # Its waiting time starts again: as a dead letter it did not wait for its turn.
        again = replace(letter.message, attempt=1, generation=letter.message.generation + 1, due_at=time.time())
        # The event first: it takes back a cancellation, so the consumer must have heard of it when the copy arrives.
        return [self._event(EventName.REDRIVEN, letter, **about), self._sent(again)]

    def edited(self, letter: DeadLetter, changes: Edits) -> tuple[str, Sequence[Publication] | None]:
        """The id of what will be sent, and the steps: a linked copy, or the message itself when nothing is changed.

        Raises:
            MalformedMessage: with these changes it could not be sent.
        """
        copy = edited_copy(letter, changes, now=time.time())
        if copy is None:
            return letter.message_id, self.back_in_lane(letter)
        return copy.message_id, [self._event(EventName.REDRIVEN, letter, copy=copy.message_id), self._sent(copy)]

    def purged(self, letter: DeadLetter, undo_id: str) -> Sequence[Publication]:
        """Nothing but the record of it, which holds what an undo needs beside the journal's own copy of the letter."""
        # Streams keep no header that is a table or a list (RabbitMQ up to 3.12), so the journal has the letter without
        # its failures. And a letter that the broker itself gave up is nowhere but in its queue.
        headers = pack(letter.headers)
        kept = {"letter": pack_letter(letter.body, letter.headers)} if letter.is_broker_s else {"headers": headers}
        return [self._event(EventName.PURGED, letter, undo_id=undo_id, queue=self._names.dead, **kept)]

    def buried_again(self, letter: DeadLetter, undo_id: str) -> Sequence[Publication]:
        """The letter again and the event that it was put back, for a purge that was recorded but not finished."""
        copy = dead_letter_publication(
            self._names,
            letter.copy,
            lane=letter.lane,
            priority=letter.priority,
            source=letter.source,
            body=letter.body,
            headers=letter.headers,
        )
        return [copy, self._event(EventName.RESTORED, letter, undo_id=undo_id, queue=self._names.dead)]

    def _sent(self, message: Message) -> Publication:
        body, properties = encode(message)
        ring(properties, message.lane)
        return Publication(self._names.messages, message.lane, body, properties, mandatory=True)

    def _event(self, name: str, about: DeadLetter, /, **details: object) -> Publication:
        event = Event(
            name=name,
            at=time.time(),
            lane=about.lane,
            message_id=about.message_id,
            generation=about.generation,
            attempt=about.attempts,
            source=self._actor,
            details={"failure_class": about.failure_class, "code": about.code, **details},
        )
        return event_publication(self._names, event)


def dead_letter_publication(
    names: Names, copy: Copy, *, lane: str, priority: int, source: str, body: bytes, headers: Mapping[str, Any]
) -> Publication:
    """What to publish so that a letter is in the dead-letter queue again, as it was there before.

    Args:
        names: of the namespace.
        copy: the letter's id; its generation is among the headers.
        lane: where it was to be sent from.
        priority: the broker's number.
        source: the publishing service; empty when the letter does not say.
        body: as it arrived.
        headers: as they arrived.
    """
    properties = pika.BasicProperties(
        message_id=copy[0],
        priority=min(max(priority, 0), 255),
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        app_id=source.encode()[:_SHORT_STRING].decode(errors="ignore") or None,
        delivery_mode=_PERSISTENT,
        headers=dict(headers),
    )
    return Publication(names.dead, lane, body, properties, mandatory=True)
