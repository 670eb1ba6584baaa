"""What other services use: put WhatsApp messages into the queue.

from publisher import Publisher
publisher = Publisher()
receipt = publisher.queue_message("081234567890", "Bayar di …", priority="high", idempotency_key="invoice-17")
"""

from publisher.client import Publisher, Receipt
from publisher.errors import BrokerUnavailable, ConfirmTimeout, InvalidMessage, PublisherError, Unroutable
from publisher.outcome import Outcome
from publisher.request import MessageRequest

__all__ = [
    "BrokerUnavailable",
    "ConfirmTimeout",
    "InvalidMessage",
    "MessageRequest",
    "Outcome",
    "Publisher",
    "PublisherError",
    "Receipt",
    "Unroutable",
]
