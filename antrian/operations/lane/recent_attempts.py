"""The latest attempts of a lane, as its events tell them: what a forecast is computed from.

Everything here comes from the broker's events and nothing from the settings of the process that reads them, so that
every reader of a lane computes the same figures, whatever its own environment says.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.failure_class import FailureClass

#: Attempts that are remembered: enough for a mix of failures, few enough to follow a provider that becomes slower.
MOST = 100

#: Seconds after which an attempt says nothing about the present any more.
LONGEST_AGO = 3_600.0

#: Seconds after the end of a pause in which a message that waited has begun: it is delivered, and that is recorded.
_LATEST_START = 1.0

#: The longest time that makes sense, in seconds: unix time at the end of the year 9999.
_LONGEST = 253_402_300_799

#: Failure classes of attempts that say something about messages, and not only about an outage of the provider.
_TELLING = frozenset(FailureClass) - {FailureClass.UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Terms:
    """How the consumer runs.

    Attributes:
        delay: seconds between two sends.
        jitter: up to so many seconds more.
        max_attempts: counted attempts before a message is given up; None when no event tells.
        retry_delays: seconds before attempt 2, 3, …; the last one repeats. Empty when no event tells.
    """

    delay: float
    jitter: float = 0.0
    max_attempts: int | None = None
    retry_delays: tuple[float, ...] = ()

    @property
    def pause(self) -> float:
        """The pause after a send that is to be expected, in seconds."""
        return self.delay + self.jitter / 2


@dataclass(slots=True)
class Attempt:
    """One attempt that has had its outcome.

    Attributes:
        message_id: whose.
        number: which attempt, first = 1.
        ended_at: unix seconds.
        seconds: how long it took.
        hold: seconds for which the provider then asked for silence; the message keeps its place. 0 for none.
        retry_in: seconds until the message comes back for another attempt; None when it does not.
        late: seconds between the end of the pause before it and its beginning; None where the lane had nothing to send.
    """

    message_id: str
    number: int
    ended_at: float
    seconds: float
    hold: float = 0.0
    retry_in: float | None = None
    late: float | None = None


class RecentAttempts:
    """Folds the events of one lane.

    Attributes:
        terms: how the consumer runs; None when no event tells.
    """

    def __init__(self) -> None:
        self.terms: Terms | None = None
        self._begun: Event | None = None
        self._opened_at = 0.0
        self._late: float | None = None
        self._attempts: deque[Attempt] = deque(maxlen=MOST)

    def apply(self, event: Event) -> None:
        """Take one event of the lane into account; events come in the order in which they happened."""
        self._learn_terms(event.details)
        if event.name == EventName.SENDING:
            self._begun = event
            late = event.at - self._opened_at
            self._late = max(0.0, late) if abs(late) <= _LATEST_START else None
        elif event.name in {EventName.SENT, EventName.FAILED}:
            self._end(event)
            waits = (seconds(event.details.get(name)) or 0.0 for name in ("pause", "hold"))
            self._opened_at = event.at + max(waits)
        elif event.name == EventName.RETRYING:
            self._come_back(event)

    def since(self, now: float) -> Iterator[Attempt]:
        """The attempts that still say something, oldest first."""
        return (one for one in self._attempts if one.ended_at >= now - LONGEST_AGO)

    def _learn_terms(self, details: Mapping[str, Any]) -> None:
        delay = seconds(details.get("delay"))
        if delay is None:
            return
        known = self.terms or Terms(delay)
        most, delays = details.get("max_attempts"), details.get("retry_delays")
        waits = [seconds(one) for one in delays] if isinstance(delays, list) else []
        self.terms = Terms(
            delay=delay,
            jitter=seconds(details.get("jitter")) or 0.0,
            max_attempts=most if isinstance(most, int) and most > 0 else known.max_attempts,
            retry_delays=tuple(wait for wait in waits if wait is not None) or known.retry_delays,
        )

    def _end(self, event: Event) -> None:
        begun, self._begun = self._begun, None
        if begun is None or (begun.message_id, begun.attempt) != (event.message_id, event.attempt):
            return
        failure = event.details.get("failure_class") if event.name == EventName.FAILED else None
        if failure is not None and failure not in _TELLING:
            return
        took = max(0.0, event.at - begun.at)
        hold = seconds(event.details.get("hold")) or 0.0
        self._attempts.append(Attempt(event.message_id, event.attempt, event.at, took, hold, late=self._late))

    def _come_back(self, event: Event) -> None:
        due_at = seconds(event.details.get("due_at"))
        last = self._attempts[-1] if self._attempts else None
        if last is not None and due_at is not None and last.message_id == event.message_id:
            last.retry_in = max(0.0, due_at - event.at)


def seconds(value: object) -> float | None:
    """A number of seconds in an event; None for anything that is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # A number that no float can hold is no time either; NaN passes no comparison.
    return float(value) if 0 <= value <= _LONGEST else None
