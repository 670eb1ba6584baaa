"""Messages that must wait are moved out of the way of those behind them: many at a time, and none is sent meanwhile.

One by one, each costs two trips to the broker. Ten thousand messages to cold contacts would keep a payment behind them
waiting for minutes. So after a few in a row the lane is subscribed with a larger prefetch; what must wait goes onto the
delay ladder in batches, and at the first message that need not, everything else is given back. A crash on the way makes
duplicates on the ladder, which the ledger lets go by.
"""

from collections.abc import Callable, Sequence

import structlog

from antrian.domain.errors import MalformedMessage
from antrian.domain.message import Message, Priority
from consumer.inbox import Delivery
from consumer.lane.admission import Admission, HoldBack, Postpone
from consumer.lane.delayed_copy import DelayedCopies
from consumer.lane.holds import LaneHolds
from consumer.lane.pace import Pace
from consumer.lane.port import Port

#: Messages in a row that had to wait before the next ones are moved together.
ENOUGH_IN_A_ROW = 20

#: Messages that are unacked at once, and that are moved together: a few hundredths of a second's work, so that other
#: lanes of the process are not kept waiting.
PREFETCH = 300
TOGETHER = 50

#: Seconds without another message after which the queue counts as empty.
QUIET = 1.0

_log = structlog.get_logger()


class Sorting:
    """Moves messages of one lane out of the way.

    Args:
        lane: its name.
        port: of its tick.
        pace: of the lane.
        holds: of the lane.
        copies: makes what is laid on the ladder.
        read: the message in a delivery; raises MalformedMessage or NewerVersion.
        look_up: what is to be done with a message.
    """

    def __init__(
        self,
        lane: str,
        port: Port,
        pace: Pace,
        holds: LaneHolds,
        copies: DelayedCopies,
        *,
        read: Callable[[Delivery], Message],
        look_up: Callable[[Message], Admission],
    ) -> None:
        self._lane = lane
        self._port = port
        self._pace = pace
        self._holds = holds
        self._copies = copies
        self._read = read
        self._look_up = look_up
        self._in_a_row = 0

    @property
    def is_due(self) -> bool:
        """Whether so many messages in a row had to wait that the next ones are better moved together."""
        return self._in_a_row >= ENOUGH_IN_A_ROW

    def note(self, admission: Admission) -> None:
        """What was to be done with the latest message."""
        self._in_a_row = self._in_a_row + 1 if isinstance(admission, HoldBack | Postpone) else 0

    async def run(self) -> None:
        """Move what must wait, up to the first message that need not; the lane is left unsubscribed.

        Raises:
            Disconnected: the connection broke; what was not acked is delivered again.
            ContactsLost: what is known of the recipients must be read again first.
        """
        self._in_a_row, moved = 0, 0
        await self._port.unsubscribe()
        await self._port.subscribe(PREFETCH)
        rest: Sequence[Delivery] = ()
        while not rest and not self._is_to_end():
            deliveries = await self._port.arrived(TOGETHER, self._port.now() + QUIET)
            if not deliveries:
                break
            # Not before they are here: until then another consumer had its turn, and may have sent one of them.
            await self._port.catch_up()
            count = await self._move(deliveries)
            moved, rest = moved + count, deliveries[count:]
        await self._port.unsubscribe()
        for delivery in reversed(rest):
            await self._port.give_back(delivery)
        _log.info("lane.sorted", lane=self._lane, moved=moved)

    def _is_to_end(self) -> bool:
        return self._port.stopping or self._pace.paused or bool(self._pace.bells)

    async def _move(self, deliveries: Sequence[Delivery]) -> int:
        """Move the first ones, as far as they must wait, and tell how many those were."""
        copies = []
        for delivery in deliveries:
            if (waiting := self._waiting(delivery)) is None:
                break
            copy, event = self._copies.of(*waiting, self._port.wall())
            # Before it is confirmed: the next one must not be given the same slot. If it never is, the message is still
            # in its queue, and the slot is its own.
            self._holds.learn(event)
            copies.append((copy, event))
        if copies:
            await self._port.record_with_copies(copies)
            await self._port.ack_up_to(deliveries[len(copies) - 1])
        return len(copies)

    def _waiting(self, delivery: Delivery) -> tuple[Message, HoldBack | Postpone] | None:
        try:
            message = self._read(delivery)
        except MalformedMessage:
            return None
        if message.priority >= Priority.URGENT:
            # A bell may have announced it.
            return None
        admission = self._look_up(message)
        return (message, admission) if isinstance(admission, HoldBack | Postpone) else None
