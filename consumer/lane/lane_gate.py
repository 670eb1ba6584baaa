"""When a lane may choose and send: its pace, and the caps that are counted by the clock on the wall."""

from antrian.domain.hold import Hold
from antrian.domain.message import Message, Priority
from consumer.lane.holds import LaneHolds
from consumer.lane.ledger import Ledger
from consumer.lane.pace import Gate, Pace
from consumer.lane.port import Port


class LaneGate:
    """The gate of one lane.

    Args:
        pace: of the lane.
        holds: knows its caps.
        ledger: knows when the lane may send again, by what the stream tells.
        port: has the clocks.
    """

    def __init__(self, pace: Pace, holds: LaneHolds, ledger: Ledger, port: Port) -> None:
        self._pace = pace
        self._ledger = ledger
        self._holds = holds
        self._port = port

    def parts(self) -> tuple[Gate, Hold | None]:
        """What the pace says of choosing a message, and which cap keeps the lane shut beside it.

        The same as before for as long as nothing has changed, unlike the gate of a cap, which is as far away as the
        clock on the wall says.
        """
        self._hear_of_session()
        passes = self._pace.permit is not None or bool(self._pace.bells) or self._pace.paused
        return self._pace.gate_to_choose(), self._holds.of_lane(self._port.wall(), urgent=passes)

    def to_choose(self) -> Gate:
        """Whether it is time to have the next message delivered."""
        gate, cap = self.parts()
        return gate if cap is None else self._capped(gate)

    def for_message(self, message: Message) -> Gate:
        """Whether this message may be sent now; an urgent one passes the pause and the caps."""
        self._hear_of_session()
        if self._pace.permit is not None:
            return self.for_the_one()
        urgent = message.priority >= Priority.URGENT
        return self._capped(self._pace.gate(urgent=urgent), urgent=urgent)

    def for_the_one(self) -> Gate:
        """Whether the one message that a paused lane sends may go now."""
        return self._capped(self._pace.gate_for_the_one())

    def _hear_of_session(self) -> None:
        """The sender's connection may have been lost, or be back, since the stream was last waited for."""
        self._pace.hear_of_session(self._ledger.times, wall=self._port.wall(), now=self._port.now())

    def _capped(self, gate: Gate, *, urgent: bool = False) -> Gate:
        return self._holds.cap(gate, wall=self._port.wall(), now=self._port.now(), urgent=urgent)
