"""The first of many things, and how many there are: a report has room for so many, and so has the memory."""

from collections.abc import Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

#: What a report for programs has room for.
MOST_LISTED = 1_000


class Listing(Generic[T]):
    """Keeps the first ones, counts all."""

    def __init__(self, most: int = MOST_LISTED) -> None:
        self.first: list[T] = []
        self.count = 0
        self._most = most

    def add(self, item: T) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < self._most:
            self.first.append(item)

    def extend(self, items: Iterable[T]) -> None:
        """Some more."""
        for item in items:
            self.add(item)
