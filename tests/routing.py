"""How a broker routes, without a broker: exchanges, bindings and TTL queues of a `Topology`, followed on paper."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from antrian.broker.topology import Topology


@dataclass(frozen=True)
class Parcel:
    """A message on its way: the key it travels with, and what it went through."""

    key: str
    waited: int = 0
    queues: tuple[str, ...] = ()


def matches(pattern: str, key: str) -> bool:
    """Whether a topic exchange passes `key` on to a binding with `pattern`."""
    return _words_match(tuple(pattern.split(".")) if pattern else (), tuple(key.split(".")) if key else ())


def _words_match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    first, *rest = pattern
    if first == "#":
        return any(_words_match(tuple(rest), words[start:]) for start in range(len(words) + 1))
    return bool(words) and first in {"*", words[0]} and _words_match(tuple(rest), words[1:])


class PaperBroker:
    """Routes by a topology.

    Args:
        topology: whose exchanges, queues and bindings to follow.
    """

    def __init__(self, topology: Topology) -> None:
        self._kinds = {exchange.name: exchange.kind for exchange in topology.exchanges}
        self._arguments = {queue.name: queue.arguments for queue in topology.queues}
        self._bindings = topology.bindings

    def queues(self, exchange: str, key: str) -> set[str]:
        """Every queue that gets a copy; none means that the message is returned."""
        seen, ahead, found = {exchange}, [exchange], set()
        while ahead:
            source = ahead.pop()
            for binding in self._bindings:
                if binding.source != source or not self._passes(source, binding.key, key):
                    continue
                if binding.to == "queue":
                    found.add(binding.destination)
                elif binding.destination not in seen:
                    seen.add(binding.destination)
                    ahead.append(binding.destination)
        return found

    def journeys(self, exchange: str, key: str) -> Iterator[Parcel]:
        """Each copy at the end of its way, through all queues that let it go after a time."""
        yield from self._travel(exchange, Parcel(key))

    def _travel(self, exchange: str, parcel: Parcel) -> Iterator[Parcel]:
        for queue in sorted(self.queues(exchange, parcel.key)):
            arrived = replace(parcel, queues=(*parcel.queues, queue))
            ttl = self._arguments[queue].get("x-message-ttl")
            if ttl is None:
                yield arrived
            else:
                later = replace(arrived, waited=parcel.waited + int(ttl))
                yield from self._travel(str(self._arguments[queue]["x-dead-letter-exchange"]), later)

    def _passes(self, exchange: str, pattern: str, key: str) -> bool:
        kind = self._kinds[exchange]
        if kind == "headers":
            return False  # a message on paper has none
        return kind == "fanout" or (pattern == key if kind == "direct" else matches(pattern, key))
