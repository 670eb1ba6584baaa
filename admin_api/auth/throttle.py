"""How long a client that keeps guessing tokens has to wait.

What is right is let in before anybody asks here: a token's secret has 256 bits, so what is slowed down is the noise,
and no one can lock out others behind the same address by guessing.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

#: So many wrong ones are free; for all addresses together it takes more.
FREE, FREE_FOR_ALL = 5, 100
#: Seconds: the first wait, doubled each time, and the longest.
FIRST_WAIT, LONGEST_WAIT = 1.0, 900.0
#: Seconds without a wrong one after which everything is forgotten; longer than any wait.
FORGIVEN_AFTER = 1800.0
#: Addresses remembered; the ones that were quiet for longest are forgotten first.
MOST_ADDRESSES = 10_000


@dataclass(slots=True)
class _Record:
    wrong: int = 0
    last: float = float("-inf")
    until: float = 0.0

    def add(self, now: float, free: int) -> None:
        self.wrong = 1 if now - self.last > FORGIVEN_AFTER else self.wrong + 1
        self.last = now
        excess = self.wrong - free
        self.until = now + min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(excess, 20)) if excess >= 0 else now


class Throttle:
    """Counts wrong tokens by client address, and over all addresses. Not for several threads at once."""

    def __init__(self) -> None:
        self._addresses: OrderedDict[str, _Record] = OrderedDict()
        self._everybody = _Record()

    def wrong(self, address: str, now: float) -> float:
        """A client sent a wrong token.

        Args:
            address: of the client, as the socket knows it.
            now: seconds of a clock that never goes back.

        Returns:
            Seconds to wait before the next try; 0 while it is no nuisance. One that comes too early is not counted.
        """
        record = self._record(neighbourhood(address))
        wait = max(record.until, self._everybody.until) - now
        if wait > 0:
            return wait
        record.add(now, FREE)
        self._everybody.add(now, FREE_FOR_ALL)
        return 0.0

    def _record(self, key: str) -> _Record:
        record = self._addresses.setdefault(key, _Record())
        self._addresses.move_to_end(key)
        if len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        return record


def neighbourhood(address: str) -> str:
    """What one client can be told by: the address, or the 64 bits of IPv6 that one household has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(known, ipaddress.IPv6Address) and not known.ipv4_mapped:
        return str(ipaddress.ip_network((known.packed[:8] + bytes(8), 64)))
    return str(getattr(known, "ipv4_mapped", None) or known)
