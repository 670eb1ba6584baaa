"""Opt-outs: recorded with their proof, taken back, or understood from what a person wrote."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from antrian.broker.event_log import write_events
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook, ContactsLost
from antrian.contacts.fold import LONGEST_WORDS, PURPOSES
from antrian.domain import contact_event
from antrian.domain.contact import ALL_PURPOSES, Purpose
from antrian.domain.contact_event import OptChannel
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event
from antrian.domain.opt_out import CONFIRMATION, Wish, answer_key, confirmation, is_barred, read_wish
from antrian.domain.phone_number import normalize
from antrian.operations.contacts.contacts_stream import require_contacts_stream
from publisher import Publisher

#: Of what somebody opts out who names no purpose.
USUAL_PURPOSE = Purpose.MARKETING


class UnknownPurpose(AntrianError):
    """There is no such purpose; nothing was changed."""


class NotOptedOut(AntrianError):
    """There is no such opt-out to take back; nothing was changed."""


@dataclass(frozen=True, slots=True)
class OptChange:
    """What was recorded.

    Attributes:
        recipient: E.164 with +, or another identity.
        purpose: a `Purpose`, or `all`.
        opted_out: whether they want no such messages now; else they want them again.
        at: when, unix seconds.
    """

    recipient: str
    purpose: str
    opted_out: bool
    at: float


def known_purpose(written: str) -> str:
    """The purpose that is written.

    Raises:
        UnknownPurpose: there is none of that name.
    """
    plain = written.strip().lower()
    if plain not in PURPOSES:
        names = [*(purpose.value for purpose in Purpose), ALL_PURPOSES]
        raise UnknownPurpose(f"there is no purpose {plain[:40]!r}; the purposes are: {', '.join(names)}")
    return plain


class OptOuts:
    """Records what people want; each call over a connection of its own.

    Args:
        urls: the broker's addresses.
        names: of the namespace.
        book: learns of it at once, so that who asks next is told; None where nobody does.
    """

    def __init__(self, urls: Sequence[str], names: Names, book: ContactBook | None = None) -> None:
        self._urls = urls
        self._names = names
        self._book = book

    def add(
        self, phone_number: str, purpose: str, *, words: str = "", by: str, channel: OptChannel, source: str
    ) -> OptChange:
        """A person does not want messages of a purpose any more.

        Args:
            phone_number: in any usual spelling.
            purpose: a `Purpose`, or `all`.
            words: what they said.
            by: who records it.
            channel: where.
            source: which process writes it.

        Raises:
            InvalidPhoneNumber: it is none.
            UnknownPurpose: it is none.
            BrokerError: the broker is not there; nothing was recorded, or it is not known.
        """
        recipient, meant = normalize(phone_number), known_purpose(purpose)
        return self._record(recipient, meant, is_out=True, words=words, by=by, channel=channel, source=source)

    def remove(
        self, phone_number: str, purpose: str = ALL_PURPOSES, *, by: str, channel: OptChannel, source: str
    ) -> OptChange:
        """A person wants messages of a purpose again; of all, where none is named.

        Raises:
            InvalidPhoneNumber: it is none.
            UnknownPurpose: it is none.
            NotOptedOut: as far as the book knows, there is nothing to take back.
            ContactsLost: see there.
            BrokerError: as `add`.
        """
        recipient, meant = normalize(phone_number), known_purpose(purpose)
        if self._book is not None:
            opted_out = self._book.opted_out(recipient)
            if not (opted_out if meant == ALL_PURPOSES else is_barred(meant, opted_out)):
                if meant == ALL_PURPOSES:
                    raise NotOptedOut("this number has not opted out of anything")
                raise NotOptedOut(f"this number has not opted out of {meant} messages")
        return self._record(recipient, meant, is_out=False, by=by, channel=channel, source=source)

    def answer_inbound(
        self, recipient: str, text: str, *, publisher: Publisher, lane: str, at: float, language: str = "id"
    ) -> Wish | None:
        """Queue one answer to a wish that a person wrote; None where it is no such word.

        The wish itself is on record already: the server that took it wrote it down. Repeating is safe: the answer has
        the same key for the whole day.

        Args:
            recipient: who wrote: E.164 with +, or another identity of which the phone number is known.
            text: the whole message.
            publisher: queues the answer.
            lane: that the person wrote to.
            at: when we heard of it, unix seconds.
            language: of the answer, `id` or `en`.

        Raises:
            PublisherError: the answer is not queued, or it is not known.
        """
        wish = read_wish(text)
        if wish is None:
            return None
        known = self._phone_number(recipient)
        if known.startswith("+"):
            publisher.queue_message(
                known,
                confirmation(wish, language),
                lane=lane,
                priority="high",
                purpose=CONFIRMATION,
                idempotency_key=answer_key(known, wish.word, at),
            )
        return wish

    def _phone_number(self, recipient: str) -> str:
        """The number of an identity, where it is known."""
        if recipient.startswith("+") or self._book is None:
            return recipient
        try:
            return self._book.show(recipient).recipient
        except ContactsLost:
            return recipient

    def _record(
        self,
        recipient: str,
        purpose: str,
        *,
        is_out: bool,
        by: str,
        channel: OptChannel,
        source: str,
        words: str = "",
    ) -> OptChange:
        event = contact_event.opted(
            recipient,
            purpose,
            is_out=is_out,
            at=time.time(),
            source=source,
            by=by,
            channel=channel,
            words=words[:LONGEST_WORDS],
        )
        require_contacts_stream(self._urls, self._names)
        self._write(event)
        return OptChange(recipient, purpose, is_out, event.at)

    def _write(self, event: Event) -> None:
        write_events(self._urls, self._names, [event], name="antrian opt-outs")
        if self._book is not None:
            self._book.apply(event)
