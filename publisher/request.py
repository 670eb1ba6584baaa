"""What a service asks the queue to send."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from antrian.domain.message import Priority
from publisher.errors import InvalidMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRequest:
    """One message to publish; all but the first two have sensible defaults.

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
