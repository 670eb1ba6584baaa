"""Whether exchanges and queues are what the settings ask for."""

from collections.abc import Iterator, Sequence

from antrian.broker.topology_sync import SyncStatus, TopologyDifference
from antrian.doctor.finding import Finding, ok, problem

SUBJECT = "topology"

#: Names in one sentence; the rest is counted.
_MOST_NAMES = 3


def check(differences: Sequence[TopologyDifference]) -> Iterator[Finding]:
    """What the differences between settings and broker mean."""
    for one in differences:
        if one.status is SyncStatus.CHANGED:
            found, _, todo = one.sentence().partition(". ")
            yield problem(SUBJECT, f"{found[0].upper()}{found[1:]}.", todo)
    missing = [one.name for one in differences if one.status is SyncStatus.MISSING]
    if missing:
        yield problem(SUBJECT, f"The broker lacks {_listed(missing)}.", "Run `antrian topology apply`.")
    unchecked = sum(one.status is SyncStatus.UNCHECKED for one in differences)
    same = sum(one.status is SyncStatus.SAME for one in differences)
    if not missing and same + unchecked == len(differences):
        if unchecked:
            yield ok(SUBJECT, f"Nothing is missing that this user may see; it may not compare {unchecked} objects.")
        else:
            yield ok(SUBJECT, f"All {same} exchanges and queues are as they should be.")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
