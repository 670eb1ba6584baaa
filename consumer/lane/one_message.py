"""The one message that an admin has a paused lane send: chosen at once, told, and kept until every wait is over."""

import structlog

from antrian.domain.event_name import EventName
from antrian.domain.message import Message
from consumer.lane.lane_gate import LaneGate
from consumer.lane.ledger import Ledger
from consumer.lane.pace import LEAD, Gate, Pace
from consumer.lane.permit import Permit, Step, step
from consumer.lane.port import Port
from consumer.outcomes.writer import EventSource

_log = structlog.get_logger()


class OneMessage:
    """Uses the permissions of one lane; see `consumer.lane.permit`.

    Args:
        lane: its name.
        port: of its tick.
        pace: holds the permission.
        events: makes the lane's events.
        ledger: knows what other consumers did with the permission.
        gate: of the lane.
    """

    def __init__(
        self, lane: str, port: Port, pace: Pace, events: EventSource, ledger: Ledger, *, gate: LaneGate
    ) -> None:
        self._lane = lane
        self._port = port
        self._pace = pace
        self._events = events
        self._ledger = ledger
        self._gate = gate

    async def await_turn(self, message: Message) -> bool:
        """Choose this message, if that is permitted, and keep it until every wait is over.

        Returns:
            Whether it may be sent now; if not, it is to be given back.

        Raises:
            Disconnected: the connection broke; the permission stays, for this message only.
        """
        while (permit := self._pace.permit) is not None:
            gate = self._gate.for_the_one()
            match step(permit, message.message_id, self._ledger.uses, self._port.now()):
                case Step.NOTHING:
                    self._pace.permit = None
                case Step.CHOOSE:
                    await self._choose(permit, message, gate)
                case Step.SEND if gate.is_open_to_choose(self._port.now()):
                    return True
                case Step.SEND:
                    await self._keep(permit, gate)
                    if self._port.stopping:
                        return False
        return False

    async def sit_out(self) -> None:
        """Let the pause after a crash pass: what the message needs first is seen when it is over."""
        permit, gate = self._pace.permit, self._gate.for_the_one()
        if permit is not None:
            until = min(gate.opens_at, permit.valid_until)
            await self._port.wait_until(until, lambda: self._port.stopping or self._pace.permit is not permit)

    def has_begun(self, permit: Permit) -> None:
        """The beginning of the attempt is on record, with this permission: it is spent."""
        if self._pace.permit is permit:
            self._pace.permit = permit.rest(self._port.now())

    async def _choose(self, permit: Permit, message: Message, gate: Gate) -> None:
        now = self._port.now()
        # Before it is recorded: a connection that breaks meanwhile must not lead to another choice.
        permit.choose(message.message_id, max(now, gate.opens_at))
        # A copy: a command that comes while this is recorded has not been told.
        asked = list(permit.unanswered or permit.ids)
        wait = gate.wait(now)
        await self._port.record(
            self._events.make(
                EventName.CHOSEN,
                message_id=message.message_id,
                generation=message.generation,
                attempt=message.attempt,
                permits=asked,
                asked_by=permit.asked_by,
                wait=round(wait, 3),
                reason=gate.reason if wait else None,
            )
        )
        if permit.has_expired(self._port.now()):
            return
        permit.answered(asked)
        _log.info("message.chosen", lane=message.lane, message_id=message.message_id, seconds=round(wait, 3))

    async def _keep(self, permit: Permit, gate: Gate) -> None:
        def has_changed() -> bool:
            return self._port.stopping or self._pace.permit is not permit or bool(permit.unanswered)

        await self._port.wait_until(gate.opens_at - LEAD, has_changed)
        if not self._port.stopping:
            # Another consumer may have reported late what it sent.
            await self._port.catch_up()
