"""From a request to the message that is published: every check that needs no broker."""

from datetime import datetime

from antrian.domain.errors import MalformedMessage
from antrian.domain.message import Message, new_message
from antrian.domain.settings import LONGEST_DELAY
from antrian.domain.trace_context import read_trace
from publisher.errors import InvalidMessage
from publisher.request import MessageRequest


def compose(wanted: MessageRequest, source: str, now: float) -> Message:
    """The message that is asked for.

    Args:
        wanted: what is asked for.
        source: the publishing service, where the request does not say.
        now: unix seconds.

    Raises:
        InvalidMessage: it breaks the contract.
    """
    if not isinstance(wanted.lane, str):
        raise InvalidMessage("bad-lane", "lane must be text", {"lane": "must be text"})
    try:
        return new_message(
            wanted.phone_number,
            wanted.message,
            priority=wanted.priority,
            lane=wanted.lane,
            source=wanted.source or source,
            idempotency_key=wanted.idempotency_key,
            expires_at=wanted.expires_at,
            metadata=wanted.metadata,
            message_id=wanted.message_id,
            now=now,
            trace=read_trace(wanted.traceparent, wanted.tracestate),
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
