"""The only place in the tests that sleeps."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


#: How many times as long as planned a busy machine may take. It only makes a test that fails anyway fail later: no test
#: takes the end of a wait for an answer.
_PATIENCE = 3


def wait_until(condition: Callable[[], T], timeout: float, what: str, *, every: float = 0.05) -> T:
    """Wait until `condition` returns something true, and return that.

    Args:
        condition: asked again and again.
        timeout: longest wait on a quiet machine, in seconds.
        what: completes the sentence "waited … s until …" of the failure.
        every: pause between two questions, in seconds.
    """
    longest = timeout * _PATIENCE
    deadline = time.monotonic() + longest
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {longest:g} s until {what}; the last answer was {answer!r}")
        time.sleep(every)
    return answer


def elapsed(seconds: float) -> Callable[[], bool]:
    """A condition that holds once so many seconds have passed: for tests about time itself."""
    moment = time.monotonic() + seconds
    return lambda: time.monotonic() >= moment
