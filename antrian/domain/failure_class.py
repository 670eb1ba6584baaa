"""How an attempt can fail, and what a dead letter can have failed of."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self


class FailureClass(StrEnum):
    """What the consumer may do about a failed attempt; each provider maps its own codes to one of these."""

    #: This message can never be sent: dead letter at once.
    REJECTED = "rejected"
    #: Certainly not sent, and this message may do better later: retry with backoff, attempt counted.
    TRANSIENT = "transient"
    #: Only this recipient has to wait: the lane goes on, attempt not counted.
    RECIPIENT_BUSY = "recipient_busy"
    #: The sender may not write to people who do not know it: messages to new contacts wait, the others go on, attempt
    #: not counted.
    COLD_REFUSED = "cold_refused"
    #: The lane is too fast for the provider: it waits `retry_after`, attempt not counted.
    THROTTLED = "throttled"
    #: No message of this lane can be sent now, and this one surely was not: the lane holds and probes.
    UNAVAILABLE = "unavailable"
    #: The message may have been sent: it is unknown.
    UNCERTAIN = "uncertain"

    @classmethod
    def read(cls, value: object) -> Self:
        """The class that an event names; what only a newer version knows is read with care: it may have been sent."""
        try:
            return cls(str(value))
        except ValueError:
            return cls(cls.UNCERTAIN)

    @property
    def holds_lane(self) -> bool:
        """Whether the lane waits and the message keeps its place, because it did nothing wrong."""
        return self in HOLDING

    @property
    def keeps_copy(self) -> bool:
        """Whether the same copy is tried again as if for the first time, from its place or from the delay ladder."""
        return self in KEEPS_COPY

    @property
    def is_counted(self) -> bool:
        """Whether the attempt counts towards `WHATSAPP_QUEUE_MAX_ATTEMPTS`."""
        return self not in UNCOUNTED


#: Failures of the whole lane; the message is tried again as if for the first time.
HOLDING = frozenset({FailureClass.THROTTLED, FailureClass.UNAVAILABLE})

#: Failures that make no new copy of the message.
KEEPS_COPY = HOLDING | {FailureClass.COLD_REFUSED}

#: Failures after which the same attempt is made again.
UNCOUNTED = KEEPS_COPY | {FailureClass.RECIPIENT_BUSY}

#: The class of a dead letter that breaks the message contract; no provider has seen it.
MALFORMED = "malformed"
#: The class of a dead letter that the broker itself gave up.
BY_BROKER = "broker"
#: The class of a dead letter that does not say what it failed of.
UNKNOWN = "unknown"

#: What a dead letter can have failed of; anything else is a foreign program's.
DEATH_CLASSES: tuple[str, ...] = (*FailureClass, MALFORMED, BY_BROKER, UNKNOWN)

#: What people read; also the reason of a message that crashed the consumer.
CLASS_WORDS: Mapping[str, str] = {
    FailureClass.REJECTED: "Refused for good",
    FailureClass.TRANSIENT: "Temporary failure",
    FailureClass.RECIPIENT_BUSY: "Recipient busy",
    FailureClass.COLD_REFUSED: "New contacts refused",
    FailureClass.THROTTLED: "Too many messages",
    FailureClass.UNAVAILABLE: "Provider away",
    FailureClass.UNCERTAIN: "Uncertain",
    MALFORMED: "Unreadable",
    "poison": "Crashed the consumer",
    UNKNOWN: "Unknown",
}
