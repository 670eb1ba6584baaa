"""The delay ladder's arithmetic: a delay in seconds as a path through 24 TTL queues.

The routing key is the delay's 24 bits, most significant first and dot-separated, then the lane. Level N's exchange
puts keys whose bit N is 1 into its queue, which lets them down one level after 2**N seconds; the others pass at once.
"""

import math

from antrian.domain.settings import LONGEST_DELAY

#: Binary levels of the delay ladder: 2**0 … 2**23 seconds, 194 days in all.
LADDER_LEVELS = 24

_BITS = frozenset("01")


def whole_seconds(delay: float) -> int:
    """The ladder's own step: the delay rounded up to a second, at least one, at most 194 days."""
    return min(max(1, math.ceil(delay)), LONGEST_DELAY)


def ladder_key(delay: float, lane: str) -> str:
    """The routing key that keeps a message for `delay` seconds before it reaches `lane`."""
    bits = format(whole_seconds(delay), f"0{LADDER_LEVELS}b")
    return ".".join((*bits, lane))


def ladder_delay(routing_key: str) -> int:
    """Seconds that a message with this key is kept on the ladder; 0 for a key that is none of the ladder's."""
    bits = routing_key.split(".")[:LADDER_LEVELS]
    if len(bits) < LADDER_LEVELS or not _BITS.issuperset(bits):
        return 0
    return int("".join(bits), 2)


def highest_level(delay: float) -> int:
    """The highest level that this delay needs; none above it need be asked."""
    return whole_seconds(delay).bit_length() - 1
