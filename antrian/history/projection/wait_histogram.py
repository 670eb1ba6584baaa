"""How long messages waited, as counts in bins that grow by a tenth; pure.

One number holds all bins of a histogram, 32 bits each, so that adding two histograms is adding two numbers.
"""

import math
from collections.abc import Iterable

#: Seconds below which a wait counts as none, and by how much each bin is wider than the one before.
_SHORTEST, _GROWTH = 0.1, 1.1

#: The last bin begins after 113 years.
_BINS = 256

_WIDTH = 32
_MASK = (1 << _WIDTH) - 1
_LOG_GROWTH = math.log(_GROWTH)
_ONES = tuple(1 << (_WIDTH * number) for number in range(_BINS))

#: By how much a percentile may differ from the exact one, as a part of it.
LARGEST_ERROR = 0.05


def bin_of(seconds: float) -> int:
    """The bin that a wait is counted in."""
    if seconds < _SHORTEST:
        return 0
    return min(1 + int(math.log(seconds / _SHORTEST) / _LOG_GROWTH), _BINS - 1)


def one(seconds: float) -> int:
    """The histogram of one wait."""
    return _ONES[bin_of(seconds)]


def pack(histogram: int) -> bytes:
    """As the history keeps it: the number of the first bin that is in use, and the bins from there on."""
    if not histogram:
        return b""
    first = ((histogram & -histogram).bit_length() - 1) // _WIDTH
    rest = histogram >> (_WIDTH * first)
    return bytes((first,)) + rest.to_bytes((rest.bit_length() + 7) // 8, "little")


def unpack(packed: bytes) -> int:
    """What `pack` made."""
    return int.from_bytes(packed[1:], "little") << (_WIDTH * packed[0]) if packed else 0


def add_packed(left: bytes, right: bytes) -> bytes:
    """The sum of two packed histograms."""
    return pack(unpack(left) + unpack(right))


def total(packed: Iterable[bytes]) -> int:
    """The sum of any number of packed histograms."""
    return sum(map(unpack, packed))


def count(histogram: int) -> int:
    """How many waits are in it."""
    return sum(_counts(histogram))


def percentile(histogram: int, part: float) -> float | None:
    """Seconds that at least this part of the waits did not exceed, within `LARGEST_ERROR`; None for no waits.

    Args:
        histogram: of the waits.
        part: such as 0.95.
    """
    counts = _counts(histogram)
    wanted = math.ceil(part * sum(counts))
    for number, waits in enumerate(counts):
        wanted -= waits
        if waits and wanted <= 0:
            # The middle of the bin, as its edges grow.
            return _SHORTEST * _GROWTH ** (number - 0.5) if number else 0.0
    return None


def _counts(histogram: int) -> list[int]:
    return [(histogram >> shift) & _MASK for shift in range(0, histogram.bit_length(), _WIDTH)]
