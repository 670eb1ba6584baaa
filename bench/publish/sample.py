"""The messages that every contender publishes: a payment notice to one of a thousand numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

#: Phone number and text.
Sample = tuple[str, str]

_TEXT = (
    "Terima kasih, pembayaran Anda untuk tagihan nomor {number} sebesar Rp 150.000 sudah kami terima. "
    "Salam, Bagian Keuangan."
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a contender publishes to.

    Attributes:
        url: the broker's address.
        namespace: of the lane `default`, for our publisher and for bare pika.
        queue: a plain queue, for peers that bring a message format of their own.
        threads: how many of them publish at once.
    """

    url: str
    namespace: str
    queue: str
    threads: int = 1


def samples(count: int) -> Sequence[Sample]:
    """So many messages, all of one length."""
    return [(f"0812345670{number % 1000:03d}", _TEXT.format(number=100_000 + number)) for number in range(count)]
