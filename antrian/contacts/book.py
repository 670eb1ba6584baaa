"""All that is known of the people whom messages are sent to: the fold of the contacts stream."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from antrian.domain.contact import Standing
from antrian.domain.events import Event


class ContactsLost(Exception):
    """The book's file could not be read any more: the book is empty and its `position` 0; read the stream again."""


@dataclass(frozen=True, slots=True)
class SenderView:
    """What one sender knows of a person; times in unix seconds, None for never.

    Attributes:
        sender: its `Lane.sender_key`.
        standing: how well it knows the person.
        since: since when that is so; None while it was always so.
        first_sent_at: when a provider first took a message for them.
        last_sent_at: when a provider last took a message for them while they were cold.
        refused_at: when the provider last refused it because the contact was cold.
    """

    sender: str
    standing: Standing
    since: float | None
    first_sent_at: float | None
    last_sent_at: float | None
    refused_at: float | None


@dataclass(frozen=True, slots=True)
class OptOut:
    """A person does not want messages of a purpose: the proof.

    Attributes:
        recipient: as the event had it: E.164 with +, or another identity.
        purpose: a `Purpose`, or `all`.
        at: when, unix seconds.
        by: who recorded it.
        words: what the person said; may be empty.
        channel: where: `api`, `cli`, `page`, `inbound`.
    """

    recipient: str
    purpose: str
    at: float
    by: str
    words: str
    channel: str


@dataclass(frozen=True, slots=True)
class ContactView:
    """All that is known of a person.

    Attributes:
        recipient: the person's phone number, E.164 with +, or the identity that was asked for.
        senders: what each sender knows of them; senders that know nothing are left out.
        opt_outs: those in force.
        timezone: the person's own, an IANA name; None where it is not known.
        identities: other identities, by kind: `bsuid`, `lid`.
    """

    recipient: str
    senders: tuple[SenderView, ...]
    opt_outs: tuple[OptOut, ...]
    timezone: str | None
    identities: dict[str, str]


@dataclass(frozen=True, slots=True)
class OptOutPage:
    """Some of the opt-outs in force, newest first.

    Attributes:
        rows: them.
        total: how many there are in all.
        cursor: for the next page; None after the last one.
    """

    rows: tuple[OptOut, ...]
    total: int
    cursor: str | None


class ContactBook:
    """What the contacts stream says, kept by SQLite in a file that may be deleted, or in memory.

    Recipients are E.164 with +, or another identity of a person (BSUID, LID); either finds all that is known of them.
    Facts belong to a sender (`Lane.sender_key`), opt-outs to the person. Safe to use from several threads.

    How to read the stream into it: from `position - 1` where that is not negative, else from the first entry. Where the
    first entry that comes is not at that offset, or `continues` denies it, the stream was made again: `restart` and
    read from the first entry.

    Args:
        folder: for the file; None for memory only. Each book has a file of its own: the first `contacts.<n>.sqlite`
            that no other process has open.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    @property
    def position(self) -> int:
        """The offset of the entry that comes next; 0 while nothing was read."""
        raise NotImplementedError

    def continues(self, event: Event | None, offset: int) -> bool:
        """Whether the stream's entry at `position - 1` is the one that was taken from there; else it is another stream.

        Args:
            event: what the entry says; None for one that is no event.
            offset: where it is.
        """
        raise NotImplementedError

    def restart(self) -> None:
        """Forget everything: the stream was made again, and is read from its first entry."""
        raise NotImplementedError

    def apply(self, event: Event | None, offset: int | None = None) -> None:
        """Learn of an event; one that was learnt before, at this offset or at another, changes nothing.

        Args:
            event: any event; those that say nothing about contacts only move the position. None for an entry of the
                stream that is no event.
            offset: of its entry in the contacts stream; None for one that was just written and confirmed, and will come
                through the stream later.
        """
        raise NotImplementedError

    def standing(self, sender: str, recipient: str) -> Standing:
        """How well a sender knows a recipient.

        Raises:
            ContactsLost: see there.
        """
        raise NotImplementedError

    def timezone_of(self, recipient: str) -> str | None:
        """The person's own time zone, an IANA name; None where it is not known.

        Raises:
            ContactsLost: see there.
        """
        raise NotImplementedError

    def opted_out(self, recipient: str) -> frozenset[str]:
        """The purposes of which the person wants no messages; `all` stands for every one.

        Raises:
            ContactsLost: see there.
        """
        raise NotImplementedError

    def cold_held_until(self, sender: str) -> float | None:
        """Until when the provider lets this sender write to no cold contact, unix seconds; may be over.

        None where it never refused one, or an admin has ended the wait since.
        """
        raise NotImplementedError

    def first_cold_at(self, sender: str) -> float | None:
        """When a provider first took a message of this sender for a cold contact, unix seconds; day 1 of its ramp."""
        raise NotImplementedError

    def slots(self, lane: str) -> Any:
        """The days that the lane's held messages were given (`antrian.domain.slots.Slots`)."""
        raise NotImplementedError

    def show(self, recipient: str) -> ContactView:
        """All that is known of a person.

        Raises:
            ContactsLost: see there.
        """
        raise NotImplementedError

    def opt_outs(self, cursor: str | None = None, limit: int = 50) -> OptOutPage:
        """The opt-outs in force, newest first.

        Raises:
            ContactsLost: see there.
        """
        raise NotImplementedError

    def known_senders(self) -> Sequence[str]:
        """The senders that anything is known of."""
        raise NotImplementedError

    def flush(self) -> None:
        """Write what was learnt into the file; a file that cannot be written costs only the file."""
        raise NotImplementedError

    def close(self) -> None:
        """Write what was learnt, and give the file back."""
        raise NotImplementedError
