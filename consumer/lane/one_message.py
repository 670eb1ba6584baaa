"""The one message that an admin has a paused lane send: chosen at once, told, and kept until every wait is over."""

import time

import structlog

from broker.message import Message
from consumer.conversation import Conversation
from consumer.lane.ledger import Ledger
from consumer.lane.pace import LEAD, Gate, Pace
from consumer.lane.permit import Permit, Step, step
from consumer.outcomes.writer import Recorder

_log = structlog.get_logger()


class OneMessage:
    """Uses one worker's permissions; see `consumer.lane.permit`.

    Args:
        talk: where to wait.
        pace: holds the permission.
        recorder: tells which message was chosen.
        ledger: knows what other consumers did with the permission.
    """

    def __init__(self, talk: Conversation, pace: Pace, recorder: Recorder, ledger: Ledger) -> None:
        self._talk = talk
        self._pace = pace
        self._recorder = recorder
        self._ledger = ledger

    def await_turn(self, message: Message) -> bool:
        """Choose this message, if that is permitted, and keep it until every wait is over.

        Returns:
            Whether it may be sent now; if not, it is to be given back.

        Raises:
            Disconnected: the connection broke; the permission stays, for this message only.
        """
        while (permit := self._pace.permit) is not None:
            gate = self._pace.gate_for_the_one()
            match step(permit, message.message_id, self._ledger.uses, time.monotonic()):
                case Step.NOTHING:
                    self._pace.permit = None
                case Step.CHOOSE:
                    self._choose(permit, message, gate)
                case Step.SEND if gate.is_open_to_choose(time.monotonic()):
                    return True
                case Step.SEND:
                    self._keep(permit, gate)
                    if self._talk.stopping:
                        return False
        return False

    def sit_out(self) -> None:
        """Let the pause after a crash pass: what the message needs first is seen when it is over."""
        permit, gate = self._pace.permit, self._pace.gate_for_the_one()
        if permit is not None:
            until = min(gate.opens_at, permit.valid_until)
            self._talk.wait(lambda: self._talk.stopping or self._pace.permit is not permit, until=until)

    def has_begun(self, permit: Permit) -> None:
        """The beginning of the attempt is on record, with this permission: it is spent."""
        if self._pace.permit is permit:
            self._pace.permit = permit.rest(time.monotonic())

    def _choose(self, permit: Permit, message: Message, gate: Gate) -> None:
        now = time.monotonic()
        # Before it is recorded: a connection that breaks meanwhile must not lead to another choice.
        permit.choose(message.message_id, max(now, gate.opens_at))
        # Of its own: a command that comes while this is recorded has not been told.
        asked = list(permit.unanswered or permit.ids)
        wait = gate.wait(now)
        self._recorder.record(
            self._recorder.event(
                "outcome.chosen",
                message_id=message.message_id,
                generation=message.generation,
                attempt=message.attempt,
                permits=asked,
                asked_by=permit.asked_by,
                wait=round(wait, 3),
                reason=gate.reason if wait else None,
            )
        )
        if permit.has_expired(time.monotonic()):
            return
        permit.answered(asked)
        _log.info("message.chosen", lane=message.lane, message_id=message.message_id, seconds=round(wait, 3))

    def _keep(self, permit: Permit, gate: Gate) -> None:
        def is_news() -> bool:
            return self._talk.stopping or self._pace.permit is not permit or bool(permit.unanswered)

        self._talk.wait(is_news, until=gate.opens_at - LEAD)
        if not self._talk.stopping:
            # Another consumer may have reported late what it sent.
            self._recorder.catch_up()
