"""What providers report after a send: receipts, messages of people, the state of the sender; and how events carry it.

A provider's own words are turned into these values by its adapter (`antrian.providers.<name>.receipts`), in the server
that takes its webhooks. From there on they are events of the journal: `receipt.…`, with the values as details.

An event's `at` is when we heard of it, by our clock; a value's `at` when it happened, by the provider's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from antrian.domain.event_name import EventName
from antrian.domain.events import Event, outcome_key
from antrian.domain.failure_class import FailureClass

#: Characters of an unreadable report that are kept.
LONGEST_RAW = 2_000
_LONGEST = 512
#: The end of the year 9999, unix seconds.
_LATEST = 253_402_300_799


class ReceiptStatus(StrEnum):
    """How far a message has come that a provider took; in this order, but for `failed`."""

    #: The provider has it: no more than the answer to the send says.
    ACCEPTED = "accepted"
    #: WhatsApp has it.
    SENT = "sent"
    #: It is on the person's telephone.
    DELIVERED = "delivered"
    #: They opened it.
    READ = "read"
    #: It will not arrive; a later `delivered` corrects that.
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """Ranks only rise: what comes late or again changes nothing. `failed` may follow `sent`, not `delivered`."""
        return _RANKS[self]


_RANKS: Final = {
    ReceiptStatus.ACCEPTED: 1,
    ReceiptStatus.SENT: 2,
    ReceiptStatus.FAILED: 3,
    ReceiptStatus.DELIVERED: 4,
    ReceiptStatus.READ: 5,
}

#: Statuses after which a message has certainly left: an attempt without an answer is settled by them.
PROVES_A_SEND: Final = frozenset(ReceiptStatus) - {ReceiptStatus.FAILED}


class SessionState(StrEnum):
    """The sender's connection to WhatsApp, as a gateway tells it."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    NEEDS_QR = "needs_qr"
    NEEDS_PASSKEY = "needs_passkey"
    #: The number is blocked, or logged out by WhatsApp.
    BANNED = "banned"


#: What people read about a sender that cannot send.
SESSION_WORDS: Final[Mapping[SessionState, str]] = {
    SessionState.DISCONNECTED: "the sender is not connected to WhatsApp",
    SessionState.NEEDS_QR: "the sender must scan a QR code",
    SessionState.NEEDS_PASSKEY: "the sender must confirm with its passkey",
    SessionState.BANNED: "WhatsApp has blocked the sender, or logged it out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReceipt:
    """How far one message has come.

    Attributes:
        status: how far.
        at: when, unix seconds by the provider's clock; None where it does not say.
        provider_id: the provider's name for the message; empty where only ours came back.
        correlation_id: ours, as `Outgoing.correlation_id` was; empty where the provider does not echo it.
        alias: another name that the provider will use for the same message from now on, without the first; empty where
            there is none.
        recipient: E.164 with +, or another identity; only for `contact.known`, never to find the message by.
        failure_class: for `failed`: what may be done about it; `rejected` where nothing, `transient` for another try.
        code: for `failed`: a short constant of a bounded set.
        detail: for `failed`: the provider's words, without number and text, at most 200 characters.
    """

    status: ReceiptStatus
    at: float | None = None
    provider_id: str = ""
    correlation_id: str = ""
    alias: str = ""
    recipient: str = ""
    failure_class: FailureClass | None = None
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """A message that a person wrote to the sender.

    Attributes:
        recipient: who wrote: E.164 with +, or another identity where the number is not known.
        provider_id: the provider's name for it: the same when it is reported again.
        at: when, unix seconds by the provider's clock.
        text: what they wrote, the words of a button they pressed, or empty for anything else.
        kind: `text`, `button`, or the provider's word for anything else.
        identities: other names of the same person, by kind (`bsuid`, `lid`).
        preference: `stop` or `start` where the provider itself says that the person opts out or in; else empty.
    """

    recipient: str
    provider_id: str = ""
    at: float | None = None
    text: str = ""
    kind: str = "text"
    identities: Mapping[str, str] = field(default_factory=dict)
    preference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNotice:
    """The sender's connection changed."""

    state: SessionState
    at: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNotice:
    """The provider changed what the sender may do, or says how it is rated.

    Attributes:
        kind: a short constant, such as `quality` or `restriction`.
        detail: one phrase for people.
        at: when, unix seconds.
        values: what it says, for people and alerts; JSON values.
    """

    kind: str
    detail: str = ""
    at: float | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableReport:
    """A report, or one part of it, that cannot be read: it is kept, and the other parts count.

    Attributes:
        reason: one phrase.
        raw: the beginning of it, at most `LONGEST_RAW` characters.
    """

    reason: str
    raw: str = ""


ProviderEvent = DeliveryReceipt | InboundMessage | SessionNotice | AccountNotice | UnreadableReport

_NAMES: Final[Mapping[type[ProviderEvent], EventName]] = {
    DeliveryReceipt: EventName.RECEIPT_STATUS,
    InboundMessage: EventName.RECEIPT_INBOUND,
    SessionNotice: EventName.RECEIPT_SESSION,
    AccountNotice: EventName.RECEIPT_ACCOUNT,
    UnreadableReport: EventName.RECEIPT_UNREADABLE,
}


def reported(told: ProviderEvent, *, lane: str, provider: str, sender: str, at: float, source: str) -> Event:
    """The event that carries what a provider told.

    Args:
        told: it.
        lane: whose webhook it came to.
        provider: the lane's provider.
        sender: the lane's `sender_key`.
        at: when we heard it, unix seconds.
        source: which process writes it.
    """
    # Not `asdict`, which copies every value: that was a fifth of what a receipt costs the server.
    details = {name: getattr(told, name) for name in told.__slots__}
    details |= {"provider": provider, "sender": sender}
    message_id = message_id_of(told.correlation_id) if isinstance(told, DeliveryReceipt) else ""
    return Event(str(_NAMES[type(told)]), at, lane, message_id, source=source, details=details)


def read_receipt(event: Event) -> DeliveryReceipt | None:
    """The receipt in an event; None where it is none, or says nothing that this version understands."""
    if event.name != EventName.RECEIPT_STATUS:
        return None
    details = event.details
    try:
        status = ReceiptStatus(str(details.get("status")))
    except ValueError:
        return None
    failure = details.get("failure_class")
    return DeliveryReceipt(
        status=status,
        at=_moment(details.get("at")),
        provider_id=_text(details.get("provider_id")),
        correlation_id=_text(details.get("correlation_id")),
        alias=_text(details.get("alias")),
        recipient=_text(details.get("recipient")),
        failure_class=None if failure is None else FailureClass.read(failure),
        code=_text(details.get("code")),
        detail=_text(details.get("detail")),
    )


def session_words(state: str) -> str:
    """What people read about a sender in this state; empty for one that can send, or that nobody here knows."""
    return SESSION_WORDS.get(SessionState(state), "") if state in SESSION_WORDS else ""


def read_session(event: Event) -> SessionNotice | None:
    """The notice in an event; None where it is none, or says nothing that this version understands."""
    if event.name != EventName.RECEIPT_SESSION:
        return None
    try:
        state = SessionState(str(event.details.get("state")))
    except ValueError:
        return None
    return SessionNotice(state=state, at=_moment(event.details.get("at")), detail=_text(event.details.get("detail")))


def ledger_key(event: Event) -> str | None:
    """The second routing key of an event that the ledgers need: into the outcomes stream."""
    if event.name == EventName.RECEIPT_STATUS and event.details.get("correlation_id"):
        return outcome_key("outcome.receipt", event.lane, event.message_id)
    if event.name == EventName.RECEIPT_SESSION:
        return outcome_key("outcome.session", event.lane, "")
    return None


def correlation_of(message_id: str, generation: int, attempt: int) -> str:
    """Our name for one attempt, as providers are given it: an earlier attempt's receipt proves nothing for a later."""
    return f"{message_id}:{generation}:{attempt}"


def message_id_of(correlation_id: str) -> str:
    """The message of an attempt's name; empty where a provider was given another form of it, or it is a stranger's."""
    message_id, *numbers = correlation_id.rsplit(":", 2)
    return message_id if len(numbers) == 2 and all(map(str.isdecimal, numbers)) else ""  # noqa: PLR2004 (both of them)


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _moment(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # NaN passes no comparison.
    return float(value) if is_number and 0 <= value <= _LATEST else None  # type: ignore[operator,arg-type]
