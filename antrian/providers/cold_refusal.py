"""How a provider says that this sender may not write to new contacts for now; for the table of every adapter.

Since March 2026 WhatsApp refuses the *new* contacts of a suspected sender for hours or days, with server error 463 (the
"reach-out time-lock"), while the chats that exist go on. What gateways make of it, and where that was reported:

    HTTP 500, "server returned error 463"           devlikeapro/waha#1992, #2219 (also translated)
    463 and `RESTRICT_ALL_COMPANIONS`               WhiskeySockets/Baileys#2441, tulir/whatsmeow#1197
    `NackCallerReachoutTimelocked`                  evolution-foundation/evolution-go#50
    "Your account has been restricted"              WhiskeySockets/Baileys PR #2442
    a limit of new chats ("new chat message cap")   WhiskeySockets/Baileys PR #2442, fazer-ai/baileys-api PR #341
    an end, in `timeEnforcementEnds` or so          Baileys PR #2442 (a date), WAHA (a number), whatsmeow (a text)

Some gateways answer success and drop the message silently (tulir/whatsmeow#1197): only receipts can tell that.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from antrian.domain.failure_class import FailureClass

#: What the failure is called; see `antrian.providers.contract.Failed`.
COLD_REFUSED = (FailureClass.COLD_REFUSED, "new-contact-refused")

#: Seconds; an end further away is cut to this, so that one wrong date cannot hold new contacts for ever.
LONGEST_HOLD = 30 * 86_400.0

_WORDS = re.compile(
    r"\berror?\b[^0-9]{0,12}\b463\b"
    r"|restrict_all_companions"
    r"|reach[-_ ]?out[-_ ]?.{0,20}(?:time[-_ ]?lock|restrict|limit)"
    r"|\btime[-_ ]?lock"
    r"|new[-_ ](?:chat|contact)s?\b.{0,30}\b(?:cap|limit|restrict|refus|block|not allowed)"
    r"|your account has been restricted",
    re.IGNORECASE | re.DOTALL,
)

_END_NAMES = frozenset({"timeenforcementends", "restricteduntil", "retryafterdate"})
_DEEPEST = 5
#: A time larger than this is in milliseconds.
_LATEST_SECOND = 100_000_000_000


def is_cold_refusal(words: str) -> bool:
    """Whether these words of a provider mean that new contacts are refused, and nothing else."""
    return _WORDS.search(words) is not None


def stated_wait(answer: object, now: float) -> float | None:
    """Seconds until new contacts may be written to again, where the answer says when that is.

    Args:
        answer: what the provider's JSON holds.
        now: unix seconds.

    Returns:
        None where it states no end that is still to come; at most `LONGEST_HOLD`.
    """
    ends = (_unix(value) for value in _ends(answer, _DEEPEST))
    waits = [end - now for end in ends if end is not None and end > now]
    return min(max(waits), LONGEST_HOLD) if waits else None


def _ends(value: object, depth: int) -> Iterator[object]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if str(name).replace("_", "").casefold() in _END_NAMES:
                yield inner
            elif depth:
                yield from _ends(inner, depth - 1)
    elif isinstance(value, list) and depth:
        for inner in value:
            yield from _ends(inner, depth - 1)


def _unix(value: Any) -> float | None:
    if isinstance(value, str) and not value.isascii():
        return None
    try:
        seconds = float(value) if not isinstance(value, bool) else 0.0
    except (TypeError, ValueError, OverflowError):
        return _unix_of_date(value)
    return seconds / 1000 if seconds > _LATEST_SECOND else seconds


def _unix_of_date(value: object) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    # A date without a zone could be any: the usual hold is better than one that is wrong by hours.
    return moment.timestamp() if moment.tzinfo else None
