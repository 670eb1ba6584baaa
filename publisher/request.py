"""What a service asks the queue to send, and the message that is made of it: every check that needs no broker."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from antrian.domain.errors import MalformedMessage
from antrian.domain.message import Message, MessageBody, Priority, new_message
from antrian.domain.settings import LONGEST_DELAY
from antrian.domain.trace_context import read_trace
from publisher.errors import InvalidMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """One message to publish; all but the first two have sensible defaults.

    A field that has the name of one of the body's is written into the body. Where and when it is sent, `lane` and
    `deliver_at` say by the way on which it is published, so that consumers of every version keep to it.

    Attributes:
        phone_number: the recipient in any usual spelling (`0812…`, `+62 812-…`).
        message: the text, 1 to 4096 characters.
        priority: `low`, `normal`, `high` or `urgent`.
        lane: which sender's queue.
        source: the publishing service; the publisher's own when None.
        idempotency_key: publishing twice with one key sends once, within WHATSAPP_QUEUE_DEDUPE_HOURS.
        expires_at: aware time after which the message must no longer be sent.
        deliver_at: aware time before which it must not be sent.
        metadata: a few values that travel with the message and are shown in its history.
        purpose: what kind of message it is, such as `payment` or `reminder`; a short word in lower case.
        correlation_id: the caller's own name for the matter; it comes back with each event about the message.
        message_id: a UUID of the caller's own; made when None.
        traceparent: W3C trace context; what OpenTelemetry is doing just now when None, if the application uses it.
        tracestate: belongs to `traceparent`. What is malformed is ignored, both of them.
    """

    phone_number: str
    message: str
    priority: str | int | Priority = Priority.NORMAL
    lane: str = "default"
    source: str | None = None
    idempotency_key: str | None = None
    expires_at: datetime | None = None
    deliver_at: datetime | None = None
    metadata: Mapping[str, Any] | None = None
    purpose: str | None = None
    correlation_id: str | None = None
    message_id: str | None = None
    traceparent: str | None = None
    tracestate: str | None = None

    @classmethod
    def of(cls, item: "MessageRequest | Mapping[str, Any] | tuple[str, str]") -> "MessageRequest":
        """The request in any of the shapes that `queue_messages` takes.

        Raises:
            InvalidMessage: it has none of these shapes, or fields that no message has.
        """
        if isinstance(item, MessageRequest):
            return item
        try:
            if isinstance(item, Mapping):
                return cls(**item)
            phone_number, message = item
        except (TypeError, ValueError) as error:
            known = ", ".join(field.name for field in fields(cls))
            raise InvalidMessage("invalid-fields", f"a request has the fields {known}") from error
        return cls(phone_number=phone_number, message=message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRequest(MessageRequest):
    """A request whose message is made already; it is published as it is, and not checked again.

    Attributes:
        composed: the message.
    """

    composed: Message


#: What a request says by the way on which it is published, and not in the body.
ROUTED = frozenset({"lane", "deliver_at"})

#: The fields that go into the body as they are.
_GIVEN = tuple(
    field.name
    for field in fields(MessageRequest)
    if field.name in MessageBody.model_fields and field.name not in ROUTED | {"phone_number", "message", "source"}
)
_given = attrgetter(*_GIVEN)


def compose(wanted: MessageRequest, source: str, now: float) -> Message:
    """The message that is asked for.

    Args:
        wanted: what is asked for.
        source: the publishing service, where the request does not say.
        now: unix seconds.

    Raises:
        InvalidMessage: it breaks the contract.
    """
    if isinstance(wanted, CheckedRequest):
        return wanted.composed
    if not isinstance(wanted.lane, str):
        raise InvalidMessage("bad-lane", "lane must be text", {"lane": "must be text"})
    try:
        return new_message(
            wanted.phone_number,
            wanted.message,
            source=wanted.source or source,
            now=now,
            priority=wanted.priority,
            lane=wanted.lane,
            message_id=wanted.message_id,
            trace=read_trace(wanted.traceparent, wanted.tracestate),
            **{name: value for name, value in zip(_GIVEN, _given(wanted), strict=True) if value is not None},
        )
    except MalformedMessage as error:
        raise InvalidMessage(error.code, error.detail, error.fields) from error


def compose_pair(phone_number: str, text: str, source: str, now: float) -> Message:
    """The message for a number and a text alone; the same as `compose` makes of a request with these two.

    Raises:
        InvalidMessage: it breaks the contract.
    """
    try:
        return new_message(phone_number, text, source=source, now=now)
    except MalformedMessage as error:
        raise InvalidMessage(error.code, error.detail, error.fields) from error


def checked(wanted: MessageRequest, source: str, now: float) -> CheckedRequest:
    """The request with the message that is asked for, for those who need to know that before they publish it.

    Args:
        wanted: what is asked for.
        source: the publishing service, where the request does not say.
        now: unix seconds.

    Raises:
        InvalidMessage: it breaks the contract, or is to be sent at no moment or too far ahead.
    """
    message = compose(wanted, source, now)
    delay_until(wanted.deliver_at, now)
    said = {field.name: getattr(wanted, field.name) for field in fields(MessageRequest)}
    return CheckedRequest(**said, composed=message)


def delay_until(deliver_at: datetime | None, now: float) -> float:
    """Seconds from now to the moment that a message is to be sent at; 0 when it may be sent at once.

    Raises:
        InvalidMessage: that is no moment, or too far ahead.
    """
    if deliver_at is None:
        return 0.0
    if not isinstance(deliver_at, datetime) or deliver_at.tzinfo is None:
        raise _refused("invalid-fields", "must be a datetime with a time zone")
    delay = deliver_at.timestamp() - now
    if delay > LONGEST_DELAY:
        raise _refused("too-far-ahead", "is more than 194 days ahead")
    return max(delay, 0.0)


def _refused(code: str, reason: str) -> InvalidMessage:
    return InvalidMessage(code, f"deliver_at {reason}", {"deliver_at": reason})
