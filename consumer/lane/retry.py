"""The retry policy: what follows a failed attempt. Change it here, and nowhere else.

failure class     consequence                                                attempt counted
rejected          dead letter at once                                        yes
transient         retry after WHATSAPP_QUEUE_RETRY_DELAYS, then dead letter  yes
recipient_busy    retry after a while, the lane goes on                      no
cold_refused      messages to new contacts wait, the lane goes on            no
throttled         the lane waits as long as the provider asks                no
unavailable       the lane waits and probes, longer each time                no
uncertain         WHATSAPP_QUEUE_ON_UNCERTAIN: retry like transient, or dead letter
  (in a lane with receipts: once the time of its receipt is over, see `consumer.lane.admission.await_receipt`)
  … by a crash    sent again from its place in the queue, up to three crashes
"""

from dataclasses import dataclass

from antrian.domain.failure_class import FailureClass
from antrian.domain.lane import Lane
from antrian.domain.settings import Settings
from antrian.providers.contract import Failed

#: A message whose sending crashed the consumer so many times is poison.
MOST_CRASHES = 3

#: Seconds that a busy recipient waits, when the provider names no time.
RECIPIENT_PAUSE = 60.0

#: Seconds that a throttled lane waits, when the provider names no time.
THROTTLE_PAUSE = 30.0

#: Seconds before the first probe of an unavailable provider; doubled each time up to the longest.
SHORTEST_PROBE = 1.0
LONGEST_PROBE = 60.0


@dataclass(frozen=True, slots=True)
class Interrupted(Failed):
    """A crash left the attempt without an outcome; no provider can report this."""

    failure_class: FailureClass = FailureClass.UNCERTAIN
    code: str = "crash"
    detail: str = "the consumer stopped in the middle of a send"


@dataclass(frozen=True, slots=True)
class Retry:
    """A copy of the message comes back after `delay` seconds, as attempt number `attempt`."""

    delay: float
    attempt: int


@dataclass(frozen=True, slots=True)
class SendAgain:
    """The message is sent from where it is, as attempt number `attempt`."""

    attempt: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The message becomes a dead letter, because of `reason` (a short constant)."""

    reason: str


@dataclass(frozen=True, slots=True)
class HoldLane:
    """The message keeps its place, and the whole lane waits for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HoldCold:
    """The message and all others to cold contacts wait (`consumer.lane.cold_outcomes`); the lane goes on."""


Consequence = Retry | SendAgain | GiveUp | HoldLane | HoldCold


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The settings that the policy depends on.

    Attributes:
        max_attempts: counted attempts before a message is given up.
        delays: seconds before attempt 2, 3, …; the last one repeats.
        resend_uncertain: whether a message that may have been sent is tried again.
    """

    max_attempts: int = 3
    delays: tuple[float, ...] = (30.0, 120.0)
    resend_uncertain: bool = True

    @classmethod
    def from_settings(cls, settings: Settings, lane: Lane) -> "RetryPolicy":
        """The policy that the environment asks for, with as many attempts as the lane allows."""
        return cls(
            max_attempts=lane.max_attempts,
            delays=settings.whatsapp_queue_retry_delays,
            resend_uncertain=settings.whatsapp_queue_on_uncertain == "resend",
        )

    def after(self, failure: Failed, *, attempt: int, crashes: int = 0, failures_in_a_row: int = 0) -> Consequence:
        """What follows a failure.

        Args:
            failure: how the attempt failed.
            attempt: which attempt failed, first = 1.
            crashes: how many attempts of this message have ended in a crash, this one included.
            failures_in_a_row: how often in a row the provider was unavailable before this.
        """
        match failure.failure_class:
            case FailureClass.REJECTED:
                return GiveUp(failure.code)
            case FailureClass.THROTTLED | FailureClass.UNAVAILABLE:
                return HoldLane(_silence(failure, failures_in_a_row))
            case FailureClass.RECIPIENT_BUSY:
                return Retry(RECIPIENT_PAUSE if failure.retry_after is None else failure.retry_after, attempt)
            case FailureClass.COLD_REFUSED:
                return HoldCold()
            case FailureClass.UNCERTAIN:
                return self._after_uncertainty(failure, attempt, crashes)
            case FailureClass.TRANSIENT:
                return self._next_attempt(attempt, failure.retry_after or 0.0)

    def _after_uncertainty(self, failure: Failed, attempt: int, crashes: int) -> Consequence:
        if not self.resend_uncertain:
            return GiveUp("uncertain")
        if not isinstance(failure, Interrupted):
            return self._next_attempt(attempt, failure.retry_after or 0.0)
        if crashes >= MOST_CRASHES:
            return GiveUp("poison")
        return SendAgain(attempt + 1) if attempt < self.max_attempts else GiveUp("attempts-exhausted")

    def _next_attempt(self, attempt: int, at_least: float) -> Consequence:
        if attempt >= self.max_attempts:
            return GiveUp("attempts-exhausted")
        delay = self.delays[min(attempt, len(self.delays)) - 1]
        return Retry(max(delay, at_least), attempt + 1)


def _silence(failure: Failed, failures_in_a_row: int) -> float:
    if failure.failure_class is FailureClass.UNAVAILABLE:
        return max(failure.retry_after or 0.0, probe_pause(failures_in_a_row))
    return THROTTLE_PAUSE if failure.retry_after is None else failure.retry_after


def probe_pause(failures_in_a_row: int) -> float:
    """Seconds before the next probe, after so many probes in a row that found the provider unavailable."""
    return min(LONGEST_PROBE, SHORTEST_PROBE * float(1 << min(failures_in_a_row, 10)))
