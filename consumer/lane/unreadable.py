"""Deliveries that nobody here can read: malformed ones become dead letters, those of a later version wait."""

from functools import partial
from typing import Any

import structlog

from antrian.domain.errors import MalformedMessage
from antrian.domain.event_name import EventName
from antrian.domain.failure_class import MALFORMED
from consumer.inbox import Delivery
from consumer.lane.admission import AlreadySent, Drop, Spent, admit_unread
from consumer.lane.delayed_copy import DelayedCopies
from consumer.lane.ledger import Ledger, State
from consumer.lane.pace import Pace
from consumer.lane.port import LaneRules, Port
from consumer.malformed import dead_letter_of
from consumer.outcomes.writer import EventSource
from consumer.set_aside import SetAside

_log = structlog.get_logger()


class Unreadable:
    """Deals with such deliveries of one lane.

    Args:
        rules: of the lane.
        port: of its tick.
        pace: of the lane.
        ledger: what has been attempted.
        events: makes the lane's events.
        copies: makes what is laid on the ladder.
    """

    def __init__(
        self, rules: LaneRules, port: Port, pace: Pace, ledger: Ledger, *, events: EventSource, copies: DelayedCopies
    ) -> None:
        self._rules = rules
        self._port = port
        self._pace = pace
        self._ledger = ledger
        self._events = events
        self._copies = copies

    async def bury(self, delivery: Delivery, problem: MalformedMessage) -> None:
        """A delivery that breaks the contract becomes a dead letter at once."""
        properties = dead_letter_of(delivery.body, delivery.properties, problem)
        message_id = properties.message_id or ""
        await self._port.publish(self._rules.names.dead, self._rules.lane, delivery.body, properties)
        self._pace.bells.answer(message_id)
        why: dict[str, Any] = {"reason": MALFORMED, "failure_class": MALFORMED}
        why |= {"code": problem.code, "detail": problem.detail}
        await self._port.record(self._events.make(EventName.DEAD, message_id=message_id, **why))
        await self._port.ack(delivery)
        about = {"lane": self._rules.lane, "message_id": message_id}
        _log.error("message.malformed", **about, code=problem.code, detail=problem.detail)

    async def set_aside(self, delivery: Delivery, kept: SetAside) -> bool:
        """A delivery that only a newer consumer can read waits on the ladder; those behind it go on.

        Returns:
            Whether it is acked; if not, it was sent already, and the pause is to be kept first.
        """
        await self._port.catch_up()
        self._pace.bells.answer(kept.message_id)
        entry = self._ledger.entry(kept.message_id)
        if entry is not None and entry.state is State.SENT and entry.generation < kept.generation:
            # A later copy than the one that was sent: what was sent may not have arrived.
            await self._port.barrier()
        event = partial(self._events.make, message_id=kept.message_id, generation=kept.generation)
        match admit_unread(kept.message_id, kept.generation, self._ledger):
            case AlreadySent():
                return False
            case Drop(outcome, detail):
                await self._port.record(event(EventName[outcome.upper()], detail=detail))
            case Spent():
                pass
            case None:
                copy = self._copies.as_it_is(kept.body, kept.properties, kept.seconds)
                await self._port.record_with_copies([(copy, event(EventName.POSTPONED, **kept.details()))])
                why = {"version": kept.version, "seconds": kept.seconds}
                about = {"lane": self._rules.lane, "message_id": kept.message_id}
                _log.warning("message.needs_newer_consumer", **about, **why)
        await self._port.ack(delivery)
        return True
