"""What is published before a dead letter may go: events, copies; no I/O."""

import time
from collections.abc import Sequence
from dataclasses import replace

from antrian.broker.queue_scan.publication import Publication, event_publication
from antrian.broker.topology import Names
from antrian.broker.urgent_bell import ring
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.message import Message, encode, retry_of
from antrian.history.dead_letter import DeadLetter
from antrian.history.header_json import pack, pack_letter
from antrian.operations.dead_letters.burial import burial
from antrian.operations.dead_letters.edited_copy import Changes, edited_copy


class Replacement:
    """Steps that take the place of letters, each to be confirmed before the next.

    Args:
        names: of the namespace.
        actor: who acts, for the journal.
    """

    def __init__(self, names: Names, actor: str) -> None:
        self._names = names
        self._actor = actor

    def back_in_lane(self, letter: DeadLetter, job_id: str = "") -> Sequence[Publication] | None:
        """The message again, as if for the first attempt; None when nobody can read it."""
        if letter.message is None:
            return None
        about = {"job_id": job_id} if job_id else {}
        # Its wait begins anew: nobody waited for it while it lay among the dead.
        again = replace(retry_of(letter.message, None, attempt=1), due_at=time.time())
        # The event first: it takes back a cancellation, so the consumer must have heard of it when the copy arrives.
        return [self._told(EventName.REDRIVEN, letter, **about), self._sent(again)]

    def edited(self, letter: DeadLetter, changes: Changes) -> tuple[str, Sequence[Publication] | None]:
        """The id of what will be sent, and the steps: a linked copy, or the message itself when nothing is changed.

        Raises:
            MalformedMessage: with these changes it could not be sent.
        """
        copy = edited_copy(letter, changes, now=time.time())
        if copy is None:
            return letter.message_id, self.back_in_lane(letter)
        return copy.message_id, [self._told(EventName.REDRIVEN, letter, copy=copy.message_id), self._sent(copy)]

    def purged(self, letter: DeadLetter, undo_id: str) -> Sequence[Publication]:
        """Nothing but the record of it, which holds what an undo needs beside the journal's own copy of the letter."""
        # Streams keep no header that is a table or a list (RabbitMQ up to 3.12), so the journal has the letter without
        # its failures. And a letter that the broker itself gave up is nowhere but in its queue.
        headers = pack(letter.headers)
        kept = {"letter": pack_letter(letter.body, letter.headers)} if letter.is_broker_s else {"headers": headers}
        return [self._told(EventName.PURGED, letter, undo_id=undo_id, queue=self._names.dead, **kept)]

    def buried_again(self, letter: DeadLetter, undo_id: str) -> Sequence[Publication]:
        """The letter again, and the word that it was put back: for a purge that was told but not finished."""
        copy = burial(
            self._names,
            letter.copy,
            lane=letter.lane,
            priority=letter.priority,
            source=letter.source,
            body=letter.body,
            headers=letter.headers,
        )
        return [copy, self._told(EventName.RESTORED, letter, undo_id=undo_id, queue=self._names.dead)]

    def _sent(self, message: Message) -> Publication:
        body, properties = encode(message)
        ring(properties, message.lane)
        return Publication(self._names.messages, message.lane, body, properties, mandatory=True)

    def _told(self, name: str, about: DeadLetter, /, **details: object) -> Publication:
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
