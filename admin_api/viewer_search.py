"""What viewers may not see, they may not search for either: letter by letter a search would tell them."""

import math
import re
import threading
import time
from collections.abc import Callable

from admin_api.auth.authorization import Actor
from admin_api.problems import Problem
from antrian.domain.errors import InvalidPhoneNumber
from antrian.domain.phone_number import normalize
from antrian.domain.private_text import hide_numbers

#: Numbers that are not there for which a viewer may search in a period of so many seconds.
MOST_MISSES, _PERIOD = 30, 3_600.0

#: Fewer digits identify no one; more are more than a number.
_FEWEST_DIGITS, _MOST_DIGITS = 7, 13


class Guesses:
    """Lets viewers search for a number that they know, and not try them all.

    A masked number lacks so few digits that a program would have tried them within minutes. Who repeats a search, as
    an open page does, has guessed nothing new.

    Args:
        clock: seconds of a clock that never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._missed: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def begin(self, actor: Actor, *terms: str | None) -> Callable[[bool], None]:
        """A client searches.

        Args:
            actor: who.
            terms: that may be a number, or have one in them.

        Returns:
            To be called with whether anything was found.

        Raises:
            Problem: 429, when it were one guess too many.
        """
        guess = " ".join(term for term in terms if term and _is_guess(term))
        if not actor.is_masked or not guess:
            return lambda _is_found: None
        now = self._clock()
        with self._lock:
            missed = {term: at for term, at in self._missed.get(actor.token_id, {}).items() if now - at < _PERIOD}
            self._missed[actor.token_id] = missed
        if guess not in missed and len(missed) >= MOST_MISSES:
            seconds = math.ceil(min(missed.values()) + _PERIOD - now)
            detail = f"too many numbers that are not here; try again in {seconds} s"
            raise Problem(429, detail=detail, code="guessing", headers={"Retry-After": str(seconds)})

        def note(is_found: bool) -> None:  # noqa: FBT001 (its only argument)
            with self._lock:
                if not is_found:
                    self._missed[actor.token_id].setdefault(guess, now)

        return note


def _is_guess(term: str) -> bool:
    """Whether it may be a number, or a key with one in it; and not the beginning of one that is being typed."""
    digits = len(re.findall(r"\d", term))
    return digits >= _FEWEST_DIGITS and (
        _is_whole(term) or digits > _MOST_DIGITS or bool(re.search(r"[^\d\s()+.-]", term))
    )


def check_search(
    actor: Actor,
    *,
    phone_number: str | None,
    text: str | None,
    key_prefix: str | None = None,
    detail: str | None = None,
) -> None:
    """Make sure that a search tells nothing that is covered for this reader.

    Raises:
        Problem: 403, when a viewer searches in texts, for a part of a number or key, or for a failure with a number.
    """
    if not actor.is_masked:
        return
    if text is not None:
        raise Problem(403, "Your role does not allow this", "only operators may search in texts", code="role")
    if key_prefix is not None:
        raise Problem(403, "Your role does not allow this", "viewers may search for whole keys only", code="role")
    if detail is not None and hide_numbers(detail) != detail:
        why = "viewers see no numbers, so they may not search for a failure with one"
        raise Problem(403, "Your role does not allow this", why, code="role")
    if phone_number is not None and not _is_whole(phone_number):
        raise Problem(403, "Your role does not allow this", "viewers may search for whole numbers only", code="role")


def _is_whole(phone_number: str) -> bool:
    try:
        normalize(phone_number)
    except InvalidPhoneNumber:
        return False
    return True
