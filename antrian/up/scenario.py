"""The demo: five people register within four seconds, and each is sent a payment link, which arrives and is read."""

from dataclasses import dataclass, replace
from itertools import pairwise

from antrian.domain.events import Event
from antrian.domain.lifecycle import ACTIVE_WORK, ENDS, JOINS_LADDER, LIFECYCLE, word
from antrian.domain.receipt import DeliveryReceipt, ReceiptStatus, read_receipt
from antrian.operations.demo_people import registrations as invented

#: Seconds from the start of the demo at which each person registers.
REGISTERED_AT = (0.0, 1.0, 2.0, 3.0, 4.0)


@dataclass(frozen=True, slots=True)
class Registration:
    """One person's message in the demo.

    Attributes:
        name: who registers.
        phone_number: where the link goes; the sandbox accepts it.
        text: the message.
        message_id: once it is published.
        state: in words for people.
        attempt: the latest attempt.
        tone: of the state: `good`, `wait`, `bad` or empty.
        end: how the message ended; empty while it has not.
        delivery: how far it has come since, by its receipts; None while they say no more than that it was sent.
        arrived_at: when it reached the provider, by the provider's clock; unix seconds.
    """

    name: str
    phone_number: str
    text: str
    message_id: str = ""
    state: str = "not yet registered"
    attempt: int = 0
    tone: str = ""
    end: str = ""
    delivery: ReceiptStatus | None = None
    arrived_at: float | None = None

    @property
    def told(self) -> str:
        """What to show: how it was delivered counts for more than that it was sent."""
        return str(self.delivery or self.state)

    @property
    def is_followed(self) -> bool:
        """Whether nothing more is to be expected of it."""
        is_final = self.delivery in {ReceiptStatus.READ, ReceiptStatus.FAILED}
        return bool(self.end) and (self.end != "sent" or is_final)


def registrations() -> list[Registration]:
    """The five, before they register."""
    return [Registration(one.name, one.phone_number, one.text) for one in invented()]


def follow(rows: list[Registration], event: Event) -> list[Registration]:
    """The rows after one more event."""
    if (receipt := read_receipt(event)) is not None:
        return [_after(row, receipt) if row.message_id == event.message_id else row for row in rows]
    if event.name not in ACTIVE_WORK | JOINS_LADDER | ENDS.keys():
        return rows
    tone, end = LIFECYCLE[event.name].tone, ENDS.get(event.name, "")
    return [
        replace(row, state=word(event.name), tone=tone, attempt=event.attempt, end=end)
        if row.message_id == event.message_id
        else row
        for row in rows
    ]


def _after(row: Registration, receipt: DeliveryReceipt) -> Registration:
    before = row.delivery.rank if row.delivery else ReceiptStatus.SENT.rank
    # They come late and twice: ranks only rise.
    return replace(row, delivery=receipt.status) if receipt.status.rank > before else row


def gaps(rows: list[Registration]) -> list[float]:
    """Seconds between the arrivals at the provider, in the order of arrival."""
    arrived = sorted(row.arrived_at for row in rows if row.arrived_at is not None)
    return [later - earlier for earlier, later in pairwise(arrived)]


def is_over(rows: list[Registration]) -> bool:
    """Whether every message has come to its end."""
    return all(row.end for row in rows)


def is_followed(rows: list[Registration]) -> bool:
    """Whether nothing more is to be expected of any message."""
    return all(row.is_followed for row in rows)
