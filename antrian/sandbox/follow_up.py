"""Which receipts follow a message that was accepted, and when: pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from antrian.sandbox.behaviour import Course

Status = Literal["sent", "delivered", "read", "failed"]
STATUSES: Final[tuple[Status, ...]] = ("sent", "delivered", "read", "failed")


@dataclass(frozen=True, slots=True)
class ReceiptPace:
    """Seconds from the answer to the first receipt, and from each to the next."""

    sent: float = 0.2
    delivered: float = 0.8
    read: float = 2.0


@dataclass(frozen=True, slots=True)
class ReceiptStep:
    """One receipt that is due.

    Args:
        after: seconds from the answer.
        status: what it says.
        is_final: of `failed`: whether another attempt is useless.
    """

    after: float
    status: Status
    is_final: bool = True


def steps(course: Course, pace: ReceiptPace, late: float) -> tuple[ReceiptStep, ...]:
    """The receipts of one message, in the order in which they are sent.

    Args:
        course: as the number says.
        pace: how fast they follow each other.
        late: seconds that 9011's telephone is switched off.
    """
    sent, delivered, read = pace.sent, pace.sent + pace.delivered, pace.sent + pace.delivered + pace.read
    usual = (ReceiptStep(sent, "sent"), ReceiptStep(delivered, "delivered"), ReceiptStep(read, "read"))
    failed = (ReceiptStep(sent, "sent"), ReceiptStep(delivered, "failed"))
    return {
        Course.USUAL: usual,
        Course.LATE: (
            ReceiptStep(sent, "sent"),
            ReceiptStep(sent + late, "delivered"),
            ReceiptStep(sent + late + pace.read, "read"),
        ),
        Course.TWICE: tuple(_twice(usual)),
        Course.REVERSED: (ReceiptStep(sent, "read"), ReceiptStep(delivered, "delivered"), ReceiptStep(read, "sent")),
        Course.NEVER: (),
        Course.FAILED: failed,
        Course.FAILED_FOR_NOW: (ReceiptStep(sent, "sent"), ReceiptStep(delivered, "failed", is_final=False)),
        Course.CORRECTED: (*failed, ReceiptStep(read, "delivered")),
    }[course]


def _twice(usual: tuple[ReceiptStep, ...]) -> Iterator[ReceiptStep]:
    for step in usual:
        yield from (step, step)
