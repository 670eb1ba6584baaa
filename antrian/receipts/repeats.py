"""Requests that were written down, remembered for a while, so that a repeat is not written again."""

import hashlib
from collections import OrderedDict

#: Requests, and seconds, that are remembered. More would be no safer: a repeat that is written again is the same facts.
MOST = 50_000
LONGEST = 3_600.0

_DIGEST_BYTES = 16


class Repeats:
    """Remembers what its callers tell it; bounded.

    Args:
        most: how many.
        longest: for how many seconds.
    """

    def __init__(self, most: int = MOST, longest: float = LONGEST) -> None:
        self._most = most
        self._longest = longest
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def name(self, lane: str, key: str) -> bytes:
        """A request's name; empty where the provider gives nothing to know a repeat by."""
        if not key:
            return b""
        return hashlib.blake2b(f"{lane}\n{key}".encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()

    def knows(self, name: bytes, now: float) -> bool:
        """Whether the request was written; `now` is monotonic seconds."""
        at = self._seen.get(name)
        return at is not None and now - at <= self._longest

    def add(self, name: bytes, now: float) -> None:
        """The request is written."""
        if not name:
            return
        self._seen[name] = now
        self._seen.move_to_end(name)
        while len(self._seen) > self._most or now - next(iter(self._seen.values())) > self._longest:
            self._seen.popitem(last=False)
