"""Whether this machine's clock can be believed: pauses are handed over between machines by the wall clock."""

import time
from collections.abc import Iterator, Mapping

from antrian.doctor.finding import Finding, ok, problem, warning

SUBJECT = "clock"

#: Seconds that clocks may differ. Network time keeps machines within a few milliseconds.
_TOLERANCE = 2.0

#: Seconds that the clock may move within the examination.
_STEP = 0.2


class JumpWatch:
    """Notices whether the wall clock is set while we look at other things."""

    def __init__(self) -> None:
        self._began = time.time() - time.monotonic()

    def jumped(self) -> float:
        """Seconds that the wall clock has been set forward since the beginning; negative for back."""
        return time.time() - time.monotonic() - self._began


def check(ahead: Mapping[str, float | None], jumped: float, delay: float) -> Iterator[Finding]:
    """What differing clocks mean.

    Args:
        ahead: by whose clock ours is measured: seconds that ours is ahead; None when that one does not say.
        jumped: seconds that our clock moved during the examination.
        delay: between sends; a difference that large may cost a whole pause at a takeover.
    """
    known = {whose: seconds for whose, seconds in ahead.items() if seconds is not None}
    for whose, seconds in known.items():
        if abs(seconds) >= _TOLERANCE:
            make = problem if abs(seconds) >= max(delay, _TOLERANCE) else warning
            yield make(
                SUBJECT,
                f"This machine's clock is {seconds:.1f} s ahead of {whose}."
                if seconds > 0
                else f"This machine's clock is {-seconds:.1f} s behind {whose}.",
                "Run chrony or systemd-timesyncd on every machine; `timedatectl` shows whether one is active.",
            )
    if abs(jumped) >= _STEP:
        yield warning(
            SUBJECT,
            f"This machine's clock has just jumped by {jumped:+.1f} s.",
            "Use a time service that adjusts the clock slowly; a clock that is set back makes a pause longer.",
        )
    elif known and all(abs(seconds) < _TOLERANCE for seconds in known.values()):
        yield ok(SUBJECT, f"This machine's clock agrees with {' and '.join(known)}.")
    elif not known:
        yield ok(SUBJECT, "This machine's clock runs evenly; there was no other to compare it with.")
