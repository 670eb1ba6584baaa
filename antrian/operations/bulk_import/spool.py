"""The checked rows of a file, kept in a temporary file until all of it is checked; the memory holds one at a time."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self

from antrian.domain.errors import CommandFailed
from antrian.domain.priority import Priority
from publisher.request import MessageRequest

_NAMES = tuple(field.name for field in fields(MessageRequest))


@dataclass(frozen=True, slots=True)
class Order:
    """One message to publish.

    Attributes:
        line: where its row begins in the file.
        request: checked and complete, its key included.
    """

    line: int
    request: MessageRequest


class NoRoom(CommandFailed):
    """The temporary folder cannot be written; nothing was queued."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(f"nothing was queued: the temporary folder cannot be written ({reason}); TMPDIR names another")


class Spool:
    """Orders, written once and then read any number of times.

    The file has no name, so it is gone with the process however that ends, and no other can read the numbers in it.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 (closed in __exit__)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Order]:
        try:
            self._file.seek(0)
        except OSError as error:
            raise NoRoom(error.strerror) from error
        for line in self._file:
            yield _read(json.loads(line))

    def add(self, order: Order) -> None:
        """Keep one more."""
        try:
            self._file.write(json.dumps(_written(order)) + "\n")
        except OSError as error:
            raise NoRoom(error.strerror) from error
        self._count += 1

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _written(order: Order) -> dict[str, Any]:
    said = {name: getattr(order.request, name) for name in _NAMES}
    times = {name: value.isoformat() for name, value in said.items() if isinstance(value, datetime)}
    plain = {name: value for name, value in said.items() if value is not None and name not in times}
    return {"line": order.line, "times": times, "plain": plain}


def _read(written: dict[str, Any]) -> Order:
    plain, times = written["plain"], written["times"]
    said = {name: datetime.fromisoformat(text) for name, text in times.items()}
    return Order(written["line"], MessageRequest(**plain | said | {"priority": Priority(plain["priority"])}))
