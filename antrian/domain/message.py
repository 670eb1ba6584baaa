"""A message, and the one place that knows how it looks on the wire.

`new_message` and `encode` are the publisher's side, `decode` the consumer's, `retry_of` what is published when a
message goes round again. The way out of `decode` is a `Message` or a `MalformedMessage`, whatever arrives.
The contract is documented for other languages in `docs/reference/message.md`, which is generated from here.
"""

import hashlib
import os
import re
import uuid
from dataclasses import dataclass, replace
from typing import Any

import pika

from antrian.domain import headers as wire_headers
from antrian.domain.body import MessageBody, build, parse, require_known_version
from antrian.domain.delay_ladder import ladder_delay
from antrian.domain.errors import MalformedMessage
from antrian.domain.headers import AttemptFailure, AttemptHistory
from antrian.domain.priority import Priority
from antrian.domain.trace_context import TraceContext

__all__ = [
    "AttemptFailure",
    "Message",
    "MessageBody",
    "Priority",
    "decode",
    "encode",
    "message_id_of",
    "new_message",
    "retry_of",
]

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"
LONGEST_MESSAGE_ID = 200

_PERSISTENT = pika.DeliveryMode.Persistent.value
#: The most that an AMQP short string holds, in bytes.
_SHORT_STRING = 255
_HIGHEST_BROKER_PRIORITY = 255
_LATEST_SECOND = wire_headers.LATEST_MILLISECOND // 1000
_PLAIN_ENCODINGS = frozenset({"", "utf-8", "utf8", "us-ascii", "identity"})
# Visible ASCII: an id also becomes part of routing keys, which are short and know no other characters for sure.
_MESSAGE_ID = re.compile(rf"[!-~]{{1,{LONGEST_MESSAGE_ID}}}")
# A lane is one word of the delay ladder's dotted routing keys.
_LANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
#: Marks the ids that are made here for messages that came without one.
_ID_NAMESPACE = uuid.UUID("b3f1c1c8-6f0e-5c55-9d0c-3b9a7e6c2f41")


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way.

    Args:
        message_id: the same through all retries; 1 to 200 visible ASCII characters.
        lane: the sender's queue that it waits in.
        priority: the broker's number, 0 to 255.
        body: what to send, checked.
        queued_at: when the publisher made it, in unix seconds by the publisher's clock, to the millisecond.
        attempt: number of the attempt that comes next, from 1.
        generation: how often it has been published again, by a retry or a re-drive.
        failures: the attempts that failed; of more than ten, the first and the last nine.
        trace: in which trace it was published; None without one.
        due_at: when it was to be sent, if that was later than its publishing, or when it was last re-driven; unix
            seconds. Known from its first delivery on.
    """

    message_id: str
    lane: str
    priority: int
    body: MessageBody
    queued_at: float
    attempt: int = 1
    generation: int = 0
    failures: tuple[AttemptFailure, ...] = ()
    trace: TraceContext | None = None
    due_at: float | None = None

    @property
    def wanted_at(self) -> float:
        """Since when it may be sent, unix seconds: what its wait is counted from."""
        return self.queued_at if self.due_at is None else self.due_at

    @property
    def trace_id(self) -> str | None:
        """What log lines and events name the trace by; None without one."""
        return self.trace.trace_id if self.trace else None


def new_message(
    phone_number: str,
    message: str,
    *,
    source: str,
    now: float,
    priority: str | int | Priority = Priority.NORMAL,
    lane: str = "default",
    message_id: str | None = None,
    trace: TraceContext | None = None,
    **optional: Any,
) -> Message:
    """A message as a publisher makes it, checked.

    Args:
        phone_number: the recipient in any usual spelling.
        message: the text, up to 4096 characters.
        source: the service on whose behalf it is sent.
        now: unix seconds.
        priority: a `Priority`, its name or its number.
        lane: the sender's queue.
        message_id: instead of a new uuid.
        trace: in which trace it is published.
        optional: the other fields of a `MessageBody`; None for an absent one.

    Raises:
        MalformedMessage: something is not acceptable; `InvalidPhoneNumber` if only the number is not.
    """
    if message_id is not None and not _is_usable_id(message_id):
        raise MalformedMessage("bad-message-id", f"a message id has 1 to {LONGEST_MESSAGE_ID} visible ASCII characters")
    if not _LANE.fullmatch(lane):
        raise MalformedMessage("bad-lane", "a lane's name has 1 to 40 letters, digits, - and _")
    body = build(phone_number=phone_number, message=message, source=source, **optional)
    number = Priority.parse(priority)
    return Message(message_id or _new_id(), lane, number, body, round(now, 3), trace=trace)


def retry_of(message: Message, failure: AttemptFailure | None, *, attempt: int) -> Message:
    """The message to publish when this one goes round again: same id and priority, one generation on.

    Args:
        message: what was delivered.
        failure: what went wrong this time; None when nothing did (a re-drive, a recipient that was busy).
        attempt: number of the attempt that comes next.
    """
    failures = (*message.failures, failure) if failure else message.failures
    return replace(
        message,
        attempt=attempt,
        generation=message.generation + 1,
        failures=wire_headers.bounded(failures),
    )


def encode(message: Message) -> tuple[bytes, pika.BasicProperties]:
    """The body and the properties to publish; the routing key is the lane, or what the delay ladder wants."""
    properties = pika.BasicProperties(
        CONTENT_TYPE,
        CONTENT_ENCODING,
        wire_headers.write(message),
        _PERSISTENT,
        message.priority,
        message_id=message.message_id,
        timestamp=int(message.queued_at),
        app_id=_short_string(message.body.source),
    )
    # The serializer itself gives bytes; `model_dump_json` would make a string of them first.
    return message.body.__pydantic_serializer__.to_json(message.body, exclude_none=True), properties


def decode(body: bytes, properties: pika.BasicProperties, lane: str, *, now: float, routing_key: str = "") -> Message:
    """The message in a delivery.

    Properties that any publisher may set are taken as far as they make sense: a missing or absurd message id is
    replaced by `message_id_of`, a missing or absurd timestamp by `now`, a missing priority by 0.

    Args:
        body: the delivery's bytes.
        properties: as pika read them.
        lane: the lane whose queue it came from.
        now: unix seconds, for messages that do not say when they were made.
        routing_key: of the delivery; tells of a first copy how long its publisher had it wait on the delay ladder.

    Raises:
        MalformedMessage: it can never be sent. Besides the codes of `antrian.domain.body.parse`:
            `unsupported-encoding`, `bad-header` and `wrong-lane`.
        NewerVersion: only a newer consumer can tell what it is.
    """
    _check_encoding(properties.content_encoding)
    try:
        history = wire_headers.read(properties.headers)
    except MalformedMessage:
        # What came with a later version of the body may have headers that make no sense here.
        require_known_version(body)
        raise
    checked_body = parse(body)
    if checked_body.lane not in {None, lane}:
        raise MalformedMessage("wrong-lane", f"the body names another lane than {lane}, where it was published")
    queued_at = _queued_at(properties.timestamp, now) if history.queued_at is None else history.queued_at
    return Message(
        message_id=message_id_of(body, properties),
        lane=lane,
        priority=_priority(properties.priority),
        body=checked_body,
        queued_at=queued_at,
        attempt=history.attempt,
        generation=history.generation,
        failures=history.failures,
        trace=history.trace,
        due_at=_due_at(history, checked_body, queued_at, routing_key, now),
    )


def message_id_of(body: bytes, properties: pika.BasicProperties) -> str:
    """The id that a delivery is known by, even one that cannot be decoded.

    Without a usable id of its own it gets a uuid made from its body and the properties that the broker leaves as
    the publisher set them, so that the same message delivered again has the same id. Two messages that are alike
    in all of these are therefore taken for one.
    """
    given = properties.message_id
    if _is_usable_id(given):
        return str(given)
    traits = (
        properties.timestamp,
        properties.app_id,
        properties.correlation_id,
        properties.type,
        properties.reply_to,
        properties.user_id,
        given,
    )
    return str(uuid.uuid5(_ID_NAMESPACE, f"{traits!r} {hashlib.sha256(body).hexdigest()}"))


def _new_id() -> str:
    """What `str(uuid.uuid4())` gives, in half the time."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _is_usable_id(value: object) -> bool:
    return isinstance(value, str) and _MESSAGE_ID.fullmatch(value) is not None


def _check_encoding(encoding: object) -> None:
    if encoding is None or (isinstance(encoding, str) and encoding.strip().lower() in _PLAIN_ENCODINGS):
        return
    raise MalformedMessage("unsupported-encoding", "the body must be plain UTF-8, neither compressed nor encoded")


def _priority(value: object) -> int:
    return int(value) if isinstance(value, int) and 0 <= value <= _HIGHEST_BROKER_PRIORITY else 0


def _queued_at(timestamp: object, now: float) -> float:
    # A timestamp in milliseconds, as some clients send it, lies beyond the year 9999.
    return float(timestamp) if isinstance(timestamp, int) and 0 < timestamp <= _LATEST_SECOND else now


def _due_at(history: AttemptHistory, body: MessageBody, queued_at: float, routing_key: str, now: float) -> float | None:
    # Later copies come from the ladder for reasons of ours; they carry what was known of the first one.
    if history.due_at is not None or history.generation:
        return history.due_at
    if body.deliver_at is not None:
        return max(queued_at, body.deliver_at.timestamp())
    delay = ladder_delay(routing_key)
    # It is here, so it is due, whatever its publisher's clock says.
    return min(queued_at + delay, now) if delay else None


def _short_string(text: str) -> str:
    return text.encode()[:_SHORT_STRING].decode(errors="ignore")
