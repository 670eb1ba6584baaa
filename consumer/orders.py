"""What an admin commands, and an urgent message's bell, carried out on a lane's pace."""

import time
from collections.abc import Callable

import structlog

from antrian.domain.control import Command, Control
from consumer.ledger import Ledger
from consumer.pace import Pace

_log = structlog.get_logger()


class Orders:
    """Obeys what comes over the control exchange.

    Args:
        lane: orders for other lanes are none of ours.
        pace: of the lane.
        ledger: tells whether a message that rings has been attempted already.
        apply_lanes: is handed the command that is for the whole process, and returns at once.
    """

    def __init__(
        self, lane: str, pace: Pace, ledger: Ledger, apply_lanes: Callable[[Control], None] = lambda _: None
    ) -> None:
        self._apply_lanes = apply_lanes
        self._lane = lane
        self._pace = pace
        self._ledger = ledger

    def obey(self, control: Control) -> None:
        """Do what is commanded."""
        if not control.concerns(self._lane):
            return
        _log.info("control.received", lane=self._lane, command=control.command.value, actor=control.actor)
        match control.command:
            case Command.PAUSE:
                self._pace.pause()
            case Command.RESUME:
                self._pace.resume()
            case Command.FORCE:
                self._pace.force(time.monotonic())
            case Command.TRY_ONE:
                # A process that stood still reads what is long out of date.
                if control.permit and not 0 < control.expires_at < time.time():
                    self._pace.try_one(control.permit, control.actor, time.monotonic())
            case Command.WITHDRAW:
                self._pace.withdraw(control.permit)
            case Command.APPLY_LANES:
                self._apply_lanes(control)
            case Command.URGENT:
                self._hear_bell(control)

    def _hear_bell(self, control: Control) -> None:
        bells, has_attempted = self._pace.bells, self._ledger.has_attempted
        if not has_attempted(control.message_id, control.generation):
            bells.ring(control.message_id, control.generation)
        # A standby hears every bell, and is never delivered what rang.
        bells.look_at_a_few(has_attempted)
