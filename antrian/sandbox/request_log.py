"""What arrived at the sandbox, in the order of arrival, how far each number's script has gone, and whom it knows."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from antrian.sandbox.behaviour import AnswerKind, Decision, Mode, Submission, decide

#: How many arrivals are kept; the oldest go first.
LONGEST_RECORD = 100_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that arrived.

    Args:
        at: Unix seconds, with microseconds.
        submission: the message.
        answered: what the sandbox decided: `sent`, `rejected`, `failed`, `throttled`, `never`, `dropped`,
            `unavailable`, `unauthorized`, `disconnected` or `cold-refused`.
        provider_id: the id that the answer carries.
        dialect: in which it came.
    """

    at: float
    submission: Submission
    answered: str
    provider_id: str
    dialect: str

    def as_json(self) -> dict[str, Any]:
        """Return the arrival as the control endpoint lists it."""
        return {
            "at": round(self.at, 6),
            "dialect": self.dialect,
            "kind": self.submission.kind,
            "number": self.submission.number,
            "message": self.submission.message,
            "sender": self.submission.sender,
            "answered": self.answered,
            "provider_id": self.provider_id,
            "correlation_id": self.submission.correlation_id,
        }


class RequestLog:
    """Every arrival, safe to share between threads.

    Args:
        longest: how many arrivals are kept.
    """

    def __init__(self, longest: int = LONGEST_RECORD) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[Arrival] = deque(maxlen=longest)
        self._counted: Counter[str] = Counter()
        self._known: set[str] = set()
        self._mode = Mode()
        # Arrivals are timed by the monotonic clock from one reading of the wall clock: gaps between messages are
        # what this record is read for, and setting the machine's clock must not change them.
        self._epoch = time.time() - time.monotonic()

    @property
    def mode(self) -> Mode:
        """How everyone is treated now."""
        with self._lock:
            return self._mode.at(self.now())

    @mode.setter
    def mode(self, mode: Mode) -> None:
        with self._lock:
            self._mode = mode

    def now(self) -> float:
        """Return the time in Unix seconds; it never goes back."""
        return self._epoch + time.monotonic()

    def take(self, submission: Submission, at: float, provider_id: str, dialect: str) -> Decision:
        """Decide about a message that arrived `at`, and note both."""
        with self._lock:
            number = submission.digits
            mode = self._mode.at(self.now())
            decision = decide(submission, mode, self._counted[number], known=number in self._known)
            if decision.counted:
                self._counted[number] += 1
            if decision.kind is AnswerKind.SENT:
                # The message is with its recipient, whatever became of the answer.
                self._known.add(number)
            self._arrivals.append(Arrival(at, submission, decision.answered, provider_id, dialect))
        return decision

    def arrivals(self) -> list[Arrival]:
        """Return what arrived, oldest first."""
        with self._lock:
            arrivals = list(self._arrivals)
        # Two threads may come to the lock in the other order than their messages came.
        return sorted(arrivals, key=lambda arrival: arrival.at)

    def find(self, name: str) -> Arrival | None:
        """The latest arrival with this id, the provider's or the client's own."""
        with self._lock:
            for arrival in reversed(self._arrivals):
                if name in {arrival.provider_id, arrival.submission.correlation_id}:
                    return arrival
        return None

    def note_inbound(self, number: str) -> None:
        """Note that a person wrote: from now on the number is no stranger."""
        with self._lock:
            self._known.add(number)

    def forget_contacts(self) -> int:
        """Make every number a stranger again; return how many were known."""
        with self._lock:
            count = len(self._known)
            self._known.clear()
        return count

    def clear(self) -> int:
        """Forget all arrivals and start every number's script again; return how many there were.

        Who was written to stays known: it is WhatsApp that remembers it.
        """
        with self._lock:
            count = len(self._arrivals)
            self._arrivals.clear()
            self._counted.clear()
        return count
