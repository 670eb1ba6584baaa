"""What events, states and failures are called on the pages: the words of the table of a message's life."""

from functools import cache
from typing import Any

from antrian.domain.event_name import EventName
from antrian.domain.failure_class import CLASS_WORDS, HOLDING
from antrian.domain.lifecycle import ENDS_BY_ATTEMPT, JOINS_LADDER, LIFECYCLE, STATES, AttemptStep, LifecycleRow
from antrian.history.records import DELIVERIES

#: What is done to many messages at once: the event that sums it up, and those that it is made of.
_SUMS = {
    EventName.LANE_CLEARED: (EventName.CLEARED,),
    EventName.DEAD_PURGED: (EventName.PURGED,),
    EventName.UNDO_DONE: (EventName.RESTORED, EventName.UNDO_BEGAN),
    EventName.JOB_FINISHED: (EventName.REDRIVEN, EventName.RELEASED, EventName.JOB_STARTED),
}

#: Events that say what another one says already, and that one.
_REPETITIONS = {EventName.BURIED: EventName.DEAD}

#: Events that are for programs only.
_QUIET = (EventName.BARRIER, EventName.JOB_PROGRESS)


@cache
def vocabulary() -> dict[str, Any]:
    """The words for the pages' scripts, in English; `static/words.js` translates them.

    Returns:
        `events`, `states` and `deliveries` by name, each with its word and its tone; `classes`, the words for failures;
        `outages`, the classes of failures that hold a whole lane; `attempts`, whether an attempt `begins`, `goes on` or
        `is over` with an event; `sums`, the parts of an event that sums them up; `repetitions`, by name, what says the
        same; and `quiet`, the events that are not shown.
    """
    return {
        "events": {name: [row.word, row.tone] for name, row in LIFECYCLE.items()},
        "states": {state: [row.word, row.tone] for state, row in STATES.items()},
        "deliveries": {delivery: [row.word, row.tone] for delivery, row in DELIVERIES.items()},
        "classes": dict(CLASS_WORDS),
        "outages": sorted(HOLDING),
        "attempts": {name: step for name, row in LIFECYCLE.items() if (step := _attempt_step(row))},
        "sums": _SUMS,
        "repetitions": _REPETITIONS,
        "quiet": _QUIET,
    }


def _attempt_step(row: LifecycleRow) -> str:
    """What an event says of an attempt and its consequence; empty where it is about none."""
    if row.attempt is AttemptStep.BEGINS:
        return "begins"
    if row.event in ENDS_BY_ATTEMPT:
        return "is over"
    return "goes on" if row.attempt is AttemptStep.ENDS or row.event in JOINS_LADDER else ""


def message_ids() -> set[str]:
    """Every text in it that is translated."""
    words = vocabulary()
    told = {word for table in ("events", "states", "deliveries") for word, _tone in words[table].values()}
    return told | set(words["classes"].values())
