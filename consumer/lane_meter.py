"""What happens to a lane, as changes of its metrics; no clock, no registry."""

from collections.abc import Iterator
from typing import NamedTuple

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.domain.hold import LADDER_HOLDS, HoldReason
from antrian.domain.lifecycle import ENDS, ENDS_BY_ATTEMPT
from antrian.domain.priority import Priority
from antrian.providers.contract import Sent
from consumer.lane.admission import DELIVER_AT
from consumer.observers import ProviderCall
from consumer.set_aside import NEWER_VERSION

SENDS = "antrian_sends_total"
SEND_SECONDS = "antrian_send_duration_seconds"
GAP = "antrian_send_gap_seconds"
GAP_VIOLATIONS = "antrian_send_gap_violations_total"
WAIT = "antrian_message_wait_seconds"
ATTEMPTS = "antrian_message_attempts"
MESSAGES = "antrian_messages_total"
POSTPONED = "antrian_messages_postponed_total"
HELD = "antrian_messages_held_total"

SENT = "sent"
#: How a call to the provider can end.
OUTCOMES = (SENT, *(failure_class.value for failure_class in FailureClass))


#: Why a message can be held on the delay ladder.
HOLD_REASONS = tuple(sorted(reason.value for reason in LADDER_HOLDS | {HoldReason.RETRY}))

#: Why a message can be postponed.
REASONS = (DELIVER_AT, NEWER_VERSION)


class Change(NamedTuple):
    """A metric grows by `value`, or observes it.

    Attributes:
        metric: its name.
        labels: values, in the metric's own order.
        value: for a counter how much more, for a histogram what was observed.
    """

    metric: str
    labels: tuple[str, ...]
    value: float = 1.0


class LaneMeter:
    """Says what changes, one lane's happenings at a time.

    Args:
        lane: which lane.
        delay: the least gap between two sends, seconds.

    Attributes:
        lane: which lane.
        delay: the least gap between two sends, seconds.
        last_sent_at: when the provider last accepted a message, unix seconds; 0 when that is not known.
    """

    def __init__(self, lane: str, delay: float) -> None:
        self.last_sent_at = 0.0
        self.lane = lane
        self.delay = delay
        self._ended: float | None = None

    def called(self, call: ProviderCall) -> Iterator[Change]:
        """A call to the provider has ended."""
        outcome = SENT if isinstance(call.result, Sent) else call.result.failure_class.value
        priority = Priority.exact_label(call.message.priority)
        yield Change(SENDS, (self.lane, call.provider, outcome, priority))
        yield Change(SEND_SECONDS, (self.lane, call.provider), call.seconds)
        if outcome == SENT:
            # A publisher's clock may run ahead of ours.
            yield Change(WAIT, (self.lane, priority), max(0.0, call.at - call.message.wanted_at))
        yield from self._gap(call)

    def recorded(self, event: Event) -> Iterator[Change]:
        """The worker's own event is in the broker."""
        if event.name == EventName.SENT:
            self.last_sent_at = max(self.last_sent_at, event.at)
        if event.name in ENDS:
            yield Change(MESSAGES, (self.lane, ENDS[event.name]))
        if event.name == EventName.POSTPONED:
            yield Change(POSTPONED, (self.lane, str(event.details["reason"])))
        if event.name == EventName.HELD:
            yield Change(HELD, (self.lane, str(event.details["reason"])))
        if event.name in ENDS_BY_ATTEMPT and event.attempt:
            yield Change(ATTEMPTS, (self.lane,), event.attempt)

    def heard(self, event: Event, *, counts: bool) -> Iterator[Change]:
        """An event of another process.

        Args:
            event: as it came through the stream.
            counts: whether it is news, and this the one of the lane's consumers that counts it.
        """
        if event.lane != self.lane:
            return
        if event.name == EventName.SENT:
            self.last_sent_at = max(self.last_sent_at, event.at)
        if event.name == EventName.CLEARED and counts:
            yield Change(MESSAGES, (self.lane, ENDS[event.name]))

    def _gap(self, call: ProviderCall) -> Iterator[Change]:
        ended, self._ended = self._ended, call.ended
        if ended is None:
            return
        gap = call.began - ended
        yield Change(GAP, (self.lane,), gap)
        if gap < self.delay and not call.excused:
            yield Change(GAP_VIOLATIONS, (self.lane,))
