"""What can go wrong when a service publishes.

PublisherError
├── InvalidMessage       correct the message; `code` says what is wrong
├── Unroutable           no such lane; correct the lane's name or apply the topology
├── BrokerUnavailable    nothing was accepted; publish again later
└── ConfirmTimeout       unknown whether it was accepted; publish again with the same key
"""

from collections.abc import Mapping

from antrian.domain import errors


class PublisherError(errors.AntrianError):
    """Root of all that `Publisher` raises."""


class InvalidMessage(PublisherError):
    """The message breaks the contract and was not published.

    Args:
        code: a short constant such as `too-long` or `invalid-phone-number`.
        detail: one sentence for people.
        fields: what is wrong, by field; empty where it is about none.
    """

    def __init__(self, code: str, detail: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.fields = dict(fields or {})


class Unroutable(PublisherError):
    """The broker knows no such lane and has not kept the message."""


class BrokerUnavailable(PublisherError, errors.BrokerUnreachable):
    """The broker could not be reached, or takes nothing now; the message was certainly not accepted."""


class ConfirmTimeout(PublisherError):
    """The message was handed over, and no confirm came back: it may have been accepted or not.

    Publishing it again with the same `idempotency_key` (or `message_id`) is safe: the consumer sends it once.
    """
