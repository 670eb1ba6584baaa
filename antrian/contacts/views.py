"""What is shown of contacts and opt-outs; times in unix seconds, None for never."""

from dataclasses import dataclass

from antrian.domain.contact import Standing


@dataclass(frozen=True, slots=True)
class SenderView:
    """What one sender knows of a person.

    Attributes:
        sender: its `Lane.sender_key`.
        standing: how well it knows the person.
        since: since when that is so.
        first_sent_at: when a provider first took a message for them while they were cold.
        last_sent_at: and when last.
        refused_at: when the provider last refused one because they were cold.
    """

    sender: str
    standing: Standing
    since: float | None
    first_sent_at: float | None
    last_sent_at: float | None
    refused_at: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a provider may want to know of a person beside the number.

    Attributes:
        bsuid: Meta's name for them; empty where it is not known.
        wrote_at: when they last wrote to the sender; None where they never did, or it is not known.
    """

    bsuid: str
    wrote_at: float | None


@dataclass(frozen=True, slots=True)
class OptOut:
    """A person does not want messages of a purpose: the proof.

    Attributes:
        recipient: as the event had it: E.164 with +, or another identity.
        purpose: a `Purpose`, or `all`.
        at: when.
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
        recipient: the person's phone number, E.164 with +; the identity that was asked for where none is known.
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
        total: how many wishes are in force in all, one of all purposes counted once.
        cursor: for the next page; None after the last one.
    """

    rows: tuple[OptOut, ...]
    total: int
    cursor: str | None
