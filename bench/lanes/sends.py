"""What the provider's record says about many lanes; pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from bench.provider import Arrival


def by_sender(arrivals: Iterable[Arrival]) -> dict[str, list[float]]:
    """The moments of each sender's sends, ascending; unix seconds."""
    moments: defaultdict[str, list[float]] = defaultdict(list)
    for arrival in sorted(arrivals, key=lambda one: one.at):
        moments[arrival.sender].append(arrival.at)
    return dict(moments)


def gaps_between(sends: Mapping[str, Sequence[float]], since: float, until: float) -> list[float]:
    """Seconds between two neighbouring sends of one sender, both of them in that time, over all senders."""
    found = []
    for moments in sends.values():
        inside = [at for at in moments if since <= at <= until]
        found += [later - earlier for earlier, later in pairwise(inside)]
    return found


def second_sends(arrivals: Iterable[Arrival]) -> int:
    """How many sends repeat a text that had arrived before; no two messages say the same."""
    texts = [arrival.text for arrival in arrivals]
    return len(texts) - len(set(texts))


def lateness(sends: Mapping[str, Sequence[float]], killed_at: float, delay: float) -> dict[str, float]:
    """For each sender that went on, how late its first send after the kill was, in seconds.

    It was due at the kill, or when the pause after its last send before that was over, whichever is later.
    """
    late = {}
    for sender, moments in sends.items():
        before = [at for at in moments if at <= killed_at]
        after = [at for at in moments if at > killed_at]
        if after:
            due = max(killed_at, before[-1] + delay) if before else killed_at
            late[sender] = max(0.0, after[0] - due)
    return late
