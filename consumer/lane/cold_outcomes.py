"""What became of the latest messages to cold contacts: whether a gateway refuses them without saying so. Pure.

Some gateways (MPWA among them) hide WhatsApp's refusal behind the words of any other failure. What gives it away: one
cold contact after the other fails, while messages to known contacts go through.
"""

from dataclasses import dataclass, replace

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass
from antrian.providers.contract import Failed

#: Most recipients that are remembered of a row.
LONGEST_ROW = 100

#: Seconds for which a sender does not write to cold contacts after a refusal, when the provider names no time; and at
#: least: after a first refusal, and after one more with no cold contact reached in between. The messages behind the one
#: that is tried come back with it, and are moved again each time that it is refused.
COLD_PAUSE = 86_400.0
SHORTEST_COLD_PAUSE = 60.0
SHORTEST_NEXT_PAUSE = 43_200.0
LONGEST_COLD_PAUSE = 30 * 86_400.0

#: The code of a failure that is taken for a refusal, because others failed before it.
SUSPECTED = "cold-refused-suspected"


@dataclass(frozen=True, slots=True)
class ColdOutcomes:
    """A fold of the events of one lane.

    Attributes:
        failed: cold contacts whose messages failed in a row, for a reason that may hide a refusal.
        known_sent: whether a message to a known contact was sent since the first of them failed.
        refusals: refusals since a message to a cold contact was last sent.
        refused_at: when the latest of them was, unix seconds; an event that is recorded twice counts once.
    """

    failed: frozenset[str] = frozenset()
    known_sent: bool = False
    refusals: int = 0
    refused_at: float = 0.0

    def after(self, event: Event) -> "ColdOutcomes":
        """What is known after one more event of the lane."""
        if event.name == EventName.SENT:
            return self._after_send(is_cold=event.details.get("cold") is True)
        if event.name != EventName.FAILED:
            return self
        match event.details.get("failure_class"):
            case FailureClass.COLD_REFUSED if event.at != self.refused_at:
                return ColdOutcomes(refusals=self.refusals + 1, refused_at=event.at)
            case FailureClass.TRANSIENT if event.details.get("cold") is True and len(self.failed) < LONGEST_ROW:
                return replace(self, failed=self.failed | {str(event.details.get("recipient"))})
            case _:
                return self

    def _after_send(self, *, is_cold: bool) -> "ColdOutcomes":
        if is_cold:
            return ColdOutcomes()
        return replace(self, known_sent=True) if self.failed and not self.known_sent else self

    def judge(self, failure: Failed, recipient: str, most: int) -> Failed:
        """What a failed attempt to reach a cold contact is taken for.

        Only a failure after which surely nothing was sent can be a refusal.

        Args:
            failure: what the provider said.
            recipient: the cold contact.
            most: so many cold contacts in a row, this one included, make it a refusal; 0 never does.
        """
        is_suspect = most and self.known_sent and len(self.failed | {recipient}) >= most
        if not is_suspect or failure.failure_class is not FailureClass.TRANSIENT:
            return failure
        return replace(failure, failure_class=FailureClass.COLD_REFUSED, code=SUSPECTED, retry_after=None)

    def pause_after(self, refusal: Failed) -> float:
        """Seconds for which the sender does not write to cold contacts after a refusal that is not counted yet."""
        stated = COLD_PAUSE if refusal.retry_after is None else refusal.retry_after
        least = SHORTEST_NEXT_PAUSE if self.refusals else SHORTEST_COLD_PAUSE
        return min(max(stated, least), LONGEST_COLD_PAUSE)
