"""The only place in the tests that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


#: How many times as long as planned a busy machine may take, and how long in any case (seconds). It only makes a test
#: that fails anyway fail later: no test takes the end of a wait for an answer.
_PATIENCE, _LEAST = 3, 60

#: A question takes at most a quarter of the time: many open a connection and read a stream to its end, on a machine
#: that has to get on with what is waited for. The longest pause for that reason, in seconds.
_PAUSE, _LONGEST_PAUSE = 3, 0.5


def wait_until(condition: Callable[[], T], timeout: float, what: str, *, every: float = 0.05) -> T:
    """Wait until `condition` returns something true, and return that.

    Args:
        condition: asked again and again.
        timeout: longest wait on a quiet machine, in seconds.
        what: completes the sentence "waited … s until …" of the failure.
        every: shortest pause between two questions, in seconds; 0 for questions that wait by themselves.
    """
    longest = max(timeout * _PATIENCE, _LEAST)
    deadline = time.monotonic() + longest
    is_over = False
    asked_at = time.monotonic()
    while not (answer := condition()):
        if is_over:
            raise AssertionError(f"waited {longest:g} s until {what}; the last answer was {answer!r}")
        # Asked once more when the time is over: it may have run out while this process stood still.
        now = time.monotonic()
        is_over = now > deadline
        time.sleep(max(every, min(_PAUSE * (now - asked_at), _LONGEST_PAUSE)) if every else 0)
        asked_at = time.monotonic()
    return answer


def elapsed(seconds: float) -> Callable[[], bool]:
    """A condition that holds once so many seconds have passed: for tests about time itself."""
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() >= moment
