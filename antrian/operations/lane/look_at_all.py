"""A look at every lane, one at a time, so that questions about single lanes are answered in between."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from antrian.domain.errors import BrokerError
from antrian.domain.events import Event
from antrian.operations.lane.lanes_reader import LaneNotDeclared, LanesReader
from antrian.operations.lane.status import Status

#: Lanes counted in a second, on average and at most: so long does one look serve those who ask after it.
LANES_PER_SECOND = 50.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A lane at one moment.

    Attributes:
        status: of the lane.
        sending: the attempt that has no outcome yet.
    """

    status: Status
    sending: Event | None

    @classmethod
    def of(cls, reader: LanesReader, lane: str, *, at_once: bool = True) -> "Reading":
        """The lane as it is now.

        Raises:
            LaneNotDeclared: the broker does not have it.
        """
        return cls(reader.status(lane, at_once=at_once), reader.sending(lane))


#: All lanes by name; None for one that the broker does not have.
Readings = Mapping[str, Reading | None]


class LookAtAll:
    """Looks at all lanes when asked; used in one thread."""

    def __init__(self) -> None:
        self._waiting: list[Future[Readings]] = []
        self._left: list[str] = []
        self._found: dict[str, Reading | None] = {}
        self._is_under_way = False
        self._good_until = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._waiting)

    def ask(self, answer: "Future[Readings]") -> None:
        """Have a future answered; those who ask during a look share it."""
        self._waiting.append(answer)

    def go_on(self, reader: LanesReader, lanes: Sequence[str]) -> None:
        """Look at one lane more, if anyone waits for a look.

        Args:
            reader: of the lanes.
            lanes: all of them.
        """
        if not self._waiting:
            return
        if not self._is_under_way and (time.monotonic() >= self._good_until or self._found.keys() != set(lanes)):
            reader.count_anew()
            self._left, self._found, self._is_under_way = list(reversed(lanes)), {}, True
        if self._left:
            lane = self._left.pop()
            try:
                self._found[lane] = Reading.of(reader, lane, at_once=False)
            except LaneNotDeclared:
                self._found[lane] = None
        if not self._left:
            self._end(len(lanes))

    def refuse(self, trouble: BrokerError) -> None:
        """End a look that cannot go on."""
        self._left, self._found, self._is_under_way = [], {}, False
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer.set_exception(trouble)

    def _end(self, count: int) -> None:
        if self._is_under_way:
            self._good_until = time.monotonic() + count / LANES_PER_SECOND
        self._is_under_way = False
        waiting, self._waiting = self._waiting, []
        for answer in waiting:
            answer.set_result(dict(self._found))
