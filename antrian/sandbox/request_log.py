"""What arrived at the sandbox, in the order of arrival, how far each number's script has gone, and whom it knows."""

import threading
import time
import uuid
from collections import Counter, deque
from dataclasses import dataclass
from typing import Any

from antrian.sandbox.behaviour import Mode, Reply, Submission, reply_to

#: How many arrivals are kept; the oldest go first.
LONGEST_RECORD = 100_000

#: Answers after which the message is with its recipient, or may be.
_ACCEPTED = frozenset({"sent", "never", "dropped"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message that arrived.

    Args:
        at: Unix seconds, with microseconds.
        submission: the message.
        answered: what the sandbox decided: `sent`, `rejected`, `failed`, `throttled`, `never`, `dropped`,
            `unavailable`, `unauthorized`, `disconnected` or `cold-refused`.
        provider_id: the id that the answer carries.
    """

    at: float
    submission: Submission
    answered: str
    provider_id: str

    def as_json(self) -> dict[str, Any]:
        """Return the arrival as the control endpoint lists it."""
        return {
            "at": round(self.at, 6),
            "number": self.submission.number,
            "message": self.submission.message,
            "sender": self.submission.sender,
            "answered": self.answered,
            "provider_id": self.provider_id,
        }


class RequestLog:
    """Every arrival, safe to share between threads.

    Args:
        longest: how many arrivals are kept.
    """

    def __init__(self, longest: int = LONGEST_RECORD) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[Arrival] = deque(maxlen=longest)
        self._replies: Counter[str] = Counter()
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

    def take(self, submission: Submission, at: float) -> Reply:
        """Decide about a message that arrived `at`, and note both."""
        provider_id = f"3EB0{uuid.uuid4().hex[:18].upper()}"
        with self._lock:
            number = submission.digits
            mode = self._mode.at(self.now())
            reply = reply_to(submission, mode, self._replies[number], provider_id, known=number in self._known)
            if reply.counted:
                self._replies[number] += 1
            if reply.answered in _ACCEPTED:
                self._known.add(number)
            self._arrivals.append(Arrival(at, submission, reply.answered or "", provider_id))
        return reply

    def arrivals(self) -> list[Arrival]:
        """Return what arrived, oldest first."""
        with self._lock:
            arrivals = list(self._arrivals)
        # Two threads may come to the lock in the other order than their messages came.
        return sorted(arrivals, key=lambda arrival: arrival.at)

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
            self._replies.clear()
        return count
