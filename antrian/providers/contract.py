"""What the consumer and its channel providers agree on.

A provider turns one message into one attempt and says how it went. It keeps no queue, no pace and no retries:
those belong to the worker, which decides by the failure's class alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from antrian.domain.failure_class import FailureClass

__all__ = ["Failed", "FailureClass", "Outgoing", "Provider", "SendResult", "Sent"]


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider took the message.

    Args:
        provider_id: the provider's own name for the message, when it gave one.
    """

    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt did not succeed, or it is unknown whether it did.

    Args:
        failure_class: what may be done about it.
        code: a short constant of a bounded set, such as `not-on-whatsapp`; fit for a metric label.
        detail: at most 200 characters, the provider's own words if any, without number, text or key.
        retry_after: seconds that the provider asked us to wait, when it did; for `cold_refused` those after which new
            contacts may be written to again.
    """

    failure_class: FailureClass
    code: str
    detail: str
    retry_after: float | None = None


SendResult = Sent | Failed


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as a provider sees it.

    Args:
        message_id: Antrian's own id.
        recipient: E.164, with the leading `+`.
        text: the body, exactly as it is to arrive.
        correlation_id: Antrian's name for this very attempt (`antrian.domain.receipt.correlation_of`), for providers
            that echo one; empty where nobody asks for receipts.
        bsuid: Meta's name for the recipient, where it is known; empty where not.
        purpose: what it is for, an `antrian.domain.contact.Purpose`.
        window_until: unix seconds until which the recipient, who wrote to the sender, may be answered freely; None
            where they never wrote, or it is not known.
        metadata: the publisher's own notes; a provider may read settings of its own from it.
    """

    message_id: str
    recipient: str
    text: str
    correlation_id: str = ""
    bsuid: str = ""
    purpose: str = "transaction"
    window_until: float | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Provider(Protocol):
    """A channel that carries messages to WhatsApp; used by one thread at a time."""

    #: As the history shows it.
    name: str
    #: Seconds after which a send without an answer is given up.
    patience: float

    def send(self, outgoing: Outgoing) -> SendResult:
        """Make one attempt. Never raises for anything that the provider or the network does."""

    def echoed_id(self, correlation_id: str) -> str:
        """What the provider's receipts name this attempt by; empty where they name none of ours.

        The id itself where the provider takes one of any form, and what follows from it where it does not.
        Pure, and the same in every process: an attempt whose answer was lost is found by it.

        Args:
            correlation_id: as `Outgoing.correlation_id`.
        """

    def close(self) -> None:
        """Give back what the provider holds; `send` is not called afterwards."""
