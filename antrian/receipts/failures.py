"""How often an address may call in vain: the more it does, the less it is answered. Pure.

Only calls in vain count. Those of a provider are proved and never limited by this, also where a proxy makes all calls
come from one address.
"""

from collections import OrderedDict
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

#: Calls in vain that an address has at once, and that it gets back each second.
BURST = 30.0
PER_SECOND = 0.5
#: Addresses that are remembered; those that called longest ago are forgotten first.
MOST_ADDRESSES = 10_000

#: An IPv6 client has at least so many addresses of its own.
_IPV6_NETWORK = 64
_LONGEST = 64

Network = IPv4Network | IPv6Network


class FailureLimit:
    """What each address may still do in vain; bounded."""

    def __init__(
        self, burst: float = BURST, per_second: float = PER_SECOND, most_addresses: int = MOST_ADDRESSES
    ) -> None:
        self._burst = burst
        self._per_second = per_second
        self._most = most_addresses
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, address: str, now: float) -> bool:
        """Count a call in vain; whether the address had one left. `now` is monotonic seconds."""
        left, at = self._left.get(address, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        allowed = left >= 1
        self._left[address] = (left - 1 if allowed else left, now)
        self._left.move_to_end(address)
        if len(self._left) > self._most:
            self._left.popitem(last=False)
        return allowed


def networks(written: Sequence[str]) -> tuple[Network, ...]:
    """The networks of proxies, as the settings name them."""
    return tuple(ip_network(one) for one in written)


def client_address(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Who calls: the peer, or the last address before it that is no proxy of ours.

    Args:
        peer: the other end of the connection.
        forwarded: the `X-Forwarded-For` headers, joined by commas.
        proxies: whose word counts.
    """
    address = peer
    for hop in (*reversed([one.strip() for one in forwarded.split(",") if one.strip()]), None):
        if hop is None or not _is_proxy(address, proxies):
            break
        address = hop
    return _network_of(address)


def _is_proxy(address: str, proxies: Sequence[Network]) -> bool:
    if not proxies:
        return False
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in proxies)


def _network_of(address: str) -> str:
    if ":" not in address:
        return address[:_LONGEST]
    try:
        return str(ip_network((address, _IPV6_NETWORK), strict=False))
    except ValueError:
        return address[:_LONGEST]
