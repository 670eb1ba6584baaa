"""The copy of a message that waits on the delay ladder without an attempt, and the event that tells of it.

It is the same copy: generation and attempt stay. The copy is published before its event, and both are confirmed before
the original is acked. In doubt there are two copies, and the ledger lets one of them be sent.
"""

import pika

from antrian.broker.event_log import PublishArguments
from antrian.broker.urgent_bell import ring
from antrian.domain.delay_ladder import ladder_key, whole_seconds
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.headers import mark_held
from antrian.domain.hold import LADDER_HOLDS
from antrian.domain.message import Message, encode
from antrian.domain.settings import LONGEST_DELAY
from consumer.lane.admission import DELIVER_AT, HoldBack, Postpone
from consumer.lane.holds import LaneHolds
from consumer.lane.port import LaneRules
from consumer.outcomes.writer import EventSource

#: Seconds after which a message is looked at again whose hold has no end that anybody knows.
LOOK_AGAIN_AFTER = 86_400.0


class DelayedCopies:
    """Makes the copies of one lane.

    Args:
        rules: of the lane.
        events: makes the lane's events.
        holds: of the lane.
    """

    def __init__(self, rules: LaneRules, events: EventSource, holds: LaneHolds) -> None:
        self._rules = rules
        self._events = events
        self._holds = holds

    def of(self, message: Message, why: HoldBack | Postpone, now: float) -> tuple[PublishArguments, Event]:
        """The copy and its event; `now` in unix seconds."""
        if isinstance(why, Postpone):
            copy = self.on_ladder(message, why.until - now)
            return copy, self._events.of(EventName.POSTPONED, message, reason=DELIVER_AT, due_at=why.until)
        until = now + LOOK_AGAIN_AFTER if why.hold.until is None else why.hold.until
        # What waits longer than the ladder is long comes back in between, and is laid on it again.
        seconds = whole_seconds(min(until - now, LONGEST_DELAY))
        told = self._holds.held(message, why.hold) | {"due_at": round(now + seconds, 3)}
        copy = self.on_ladder(message, seconds)
        if why.hold.reason in LADDER_HOLDS:
            # So that it can be found there by what holds it, without anybody's history.
            copy.properties.headers = mark_held(copy.properties.headers, why.hold.reason)
        return copy, self._events.of(EventName.HELD, message, **told)

    def on_ladder(self, message: Message, seconds: float) -> PublishArguments:
        """A message that waits so long on the delay ladder."""
        return self.as_it_is(*encode(message), seconds)

    def as_it_is(self, body: bytes, properties: pika.BasicProperties, seconds: float) -> PublishArguments:
        """Anything that waits so long on the delay ladder; its properties may be changed."""
        ring(properties, self._rules.lane, later=True)
        exchange = self._rules.names.ladder_entrance(seconds)
        return PublishArguments(exchange, ladder_key(seconds, self._rules.lane), body, properties, mandatory=True)
