"""A message's life in as few steps as tell it: attempts in one step each, an outage in one; pure.

The page and the command line show these steps; what is on record, entry by entry, is `History.life`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from antrian.domain import lifecycle
from antrian.domain.event_name import EventName
from antrian.domain.failure_class import HOLDING, UNCOUNTED
from antrian.domain.lifecycle import FINAL, LIFECYCLE, Author
from antrian.history.queries import receipt_steps
from antrian.history.records import LifeEntry

#: What an attempt is called, by how it ended; `attempt.begun` while it has not.
ATTEMPT_ENDS: dict[str, str] = {name: f"attempt.{name.name.lower()}" for name in lifecycle.ATTEMPT_ENDS}
BEGUN, OUTAGE = "attempt.begun", "outage"

_ROWS = LIFECYCLE.values()

#: Entries that say what the entry beside them, of a copy on its way, says as well.
_CAUSES = frozenset(row.event for row in _ROWS if row.brings_copy)
_ARRIVALS = frozenset(row.event for row in _ROWS if row.author is Author.PUBLISHER)

#: Entries whose source is a person or a service, and not the consumer's own id.
_NAMED = frozenset(row.event for row in _ROWS if row.author is not Author.CONSUMER)

#: Steps after which a message waits no longer.
_ENDS = frozenset(ATTEMPT_ENDS.get(row.event, row.event) for row in _ROWS if row.state in FINAL)


@dataclass(frozen=True, slots=True)
class LifeLineStep:
    """One step of a life.

    Attributes:
        name: of the event, or one of `ATTEMPT_ENDS`, `BEGUN` and `OUTAGE`.
        at: when it began, unix seconds.
        until: when it ended; as `at` for what takes no time.
        gap: seconds since the step before it ended; 0 for the first.
        attempt: which attempt; 0 for none.
        rounds: how often the provider was asked in an outage; 0 for every other step.
        by: the person or the service behind it; empty where the consumer did it by itself.
        failure_class: of what went wrong; empty where nothing did.
        code: of what went wrong.
        detail: of what went wrong: the provider's words, or ours.
        details: whatever else is on record.
    """

    name: str
    at: float
    until: float
    gap: float = 0.0
    attempt: int = 0
    rounds: int = 0
    by: str = ""
    failure_class: str = ""
    code: str = ""
    detail: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    """A life in figures, since it was published or last re-driven.

    Attributes:
        waited: seconds until it was sent or ended otherwise, or until now; None before its time has come.
        is_over: whether it was sent or ended otherwise.
        attempts: those that were counted.
        rounds: how often the provider was asked in vain during outages.
        outage_seconds: what the outages took together.
        consumers: names of the processes that sent it, in the order of their attempts.
    """

    waited: float | None
    is_over: bool
    attempts: int
    rounds: int
    outage_seconds: float
    consumers: tuple[str, ...]


def fold(life: Iterable[LifeEntry]) -> list[LifeLineStep]:
    """The steps of a life, oldest first.

    Args:
        life: everything on record, oldest first.
    """
    entries = [entry for entry in life if entry.name != EventName.BARRIER]
    steps: list[LifeLineStep] = []
    told: set[tuple[str, ...]] = set()
    for place, entry in enumerate(entries):
        beside = entries[max(0, place - 1) : place] + entries[place + 1 : place + 2]
        if entry.name == EventName.RECEIPT_STATUS:
            steps += _receipt(entries, place, told)
        elif not _is_said_beside(entry, beside):
            _add(steps, _step(entry, beside, steps))
    return _with_gaps(_with_outages(steps))


def summarize(steps: Sequence[LifeLineStep], now: float) -> Summary:
    """The figures of a life.

    Args:
        steps: as `fold` makes them.
        now: unix seconds; the end of a wait that is not over.
    """
    redriven = [place for place, step in enumerate(steps) if step.name == EventName.REDRIVEN]
    latest = steps[redriven[-1] :] if redriven else steps
    begun = _begun_at(latest)
    ended = _ended_at(latest)
    outages = [step for step in latest if step.name == OUTAGE]
    until = now if ended is None else ended
    return Summary(
        waited=None if begun is None or until < begun else until - begun,
        is_over=ended is not None,
        attempts=sum(_is_counted(step) for step in latest),
        rounds=sum(step.rounds for step in outages),
        outage_seconds=sum(step.until - step.at for step in outages),
        consumers=tuple(dict.fromkeys(name for step in steps if (name := _consumer(step.details)))),
    )


def _is_said_beside(entry: LifeEntry, beside: Sequence[LifeEntry]) -> bool:
    """Whether the entry before or after says the same, and more."""
    if entry.name == EventName.BURIED:
        return any(other.name == EventName.DEAD for other in beside)
    return entry.name in _ARRIVALS and entry.generation > 0 and any(other.name in _CAUSES for other in beside)


def _step(entry: LifeEntry, beside: Sequence[LifeEntry], before: Sequence[LifeLineStep]) -> LifeLineStep:
    about: dict[str, Any] = dict(entry.details)
    if entry.name == EventName.DEAD:
        letters = [other.details for other in beside if other.name == EventName.BURIED]
        about = {name: value for letter in letters for name, value in letter.items()} | about
        about.setdefault("failure_class", next((one.failure_class for one in reversed(before) if one.code), ""))
    elif entry.name == EventName.UNCERTAIN:
        about = {"failure_class": "uncertain", "code": "crash"} | about
    failure_class, code, detail = (str(about.pop(name, None) or "") for name in ("failure_class", "code", "detail"))
    name = BEGUN if entry.name == EventName.SENDING else ATTEMPT_ENDS.get(entry.name, entry.name)
    return LifeLineStep(
        name,
        entry.at,
        entry.at,
        attempt=entry.attempt,
        by=entry.source if entry.name in _NAMED else "",
        failure_class=failure_class,
        code=code,
        detail=detail,
        details=about,
    )


def _receipt(entries: Sequence[LifeEntry], place: int, told: set[tuple[str, ...]]) -> list[LifeLineStep]:
    """The step of a receipt, unless it was told already."""
    entry = entries[place]
    name, identity = receipt_steps.step_name(entry), receipt_steps.identity(entry)
    if name is None or identity in told:
        return []
    told.add(identity)
    at, about = receipt_steps.about(entry, entries, place)
    failure_class, code, detail = (str(about.pop(key, None) or "") for key in ("failure_class", "code", "detail"))
    return [LifeLineStep(name, at, at, failure_class=failure_class, code=code, detail=detail, details=about)]


def _add(steps: list[LifeLineStep], step: LifeLineStep) -> None:
    """Take a step in; the end of an attempt takes the place of its beginning."""
    if step.name in ATTEMPT_ENDS.values():
        for place in range(len(steps) - 1, -1, -1):
            begun = steps[place]
            if begun.name == BEGUN and begun.attempt == step.attempt:
                steps[place] = replace(step, at=begun.at, details={**begun.details, **step.details})
                return
    steps.append(step)


def _with_outages(steps: Iterable[LifeLineStep]) -> list[LifeLineStep]:
    """Attempts that found the provider away or throttling, in a row, as one step."""
    found: list[LifeLineStep] = []
    for step in steps:
        if step.name != "attempt.failed" or step.failure_class not in HOLDING:
            found.append(step)
            continue
        before = found[-1] if found else None
        if before is not None and before.name == OUTAGE and before.failure_class == step.failure_class:
            found[-1] = replace(step, name=OUTAGE, at=before.at, rounds=before.rounds + 1)
        else:
            found.append(replace(step, name=OUTAGE, rounds=1))
    return found


def _with_gaps(steps: Sequence[LifeLineStep]) -> list[LifeLineStep]:
    ends = [step.until for step in steps]
    return [
        replace(step, gap=max(0.0, step.at - ends[place - 1]) if place else 0.0) for place, step in enumerate(steps)
    ]


def _begun_at(steps: Sequence[LifeLineStep]) -> float | None:
    """When the wait began: a message that is to be sent later waits from then on."""
    if not steps:
        return None
    due_at = steps[0].details.get("due_at")
    return float(due_at) if steps[0].name == EventName.SCHEDULED and isinstance(due_at, int | float) else steps[0].at


def _ended_at(steps: Sequence[LifeLineStep]) -> float | None:
    """When it was sent or ended otherwise; None while it waits, also again after an undo."""
    ends: list[float] = []
    for step in steps:
        if step.name == EventName.UNDELIVERED:
            # What follows of that is a step of its own.
            ends.clear()
        elif step.name in _ENDS:
            ends.append(step.until)
        elif step.name == EventName.RESTORED and ends:
            # What was cleared waits again; a dead letter that was deleted has been dead since it was given up.
            ends.pop()
    return ends[-1] if ends else None


def _is_counted(step: LifeLineStep) -> bool:
    return step.name.startswith("attempt.") and step.failure_class not in UNCOUNTED


def _consumer(details: Mapping[str, Any]) -> str:
    """The consumer that made an attempt, as people know it."""
    match details.get("consumer"):
        case str(name):
            return name
        case {"host": host, "pid": pid}:
            return f"{host} ({pid})"
    return ""
