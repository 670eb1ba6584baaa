"""What events, states and failures are called on the pages: the words of the table of a message's life."""

from functools import cache
from typing import Any

from antrian.domain.failure_class import CLASS_WORDS, HOLDING
from antrian.domain.lifecycle import LIFECYCLE, STATES


@cache
def vocabulary() -> dict[str, Any]:
    """The words for the pages' scripts, in English; `static/words.js` translates them.

    Returns:
        `events` and `states` by name, each with its word and its tone; `classes`, the words for failures; and
        `outages`, the classes of failures that hold a whole lane.
    """
    return {
        "events": {name: [row.word, row.tone] for name, row in LIFECYCLE.items()},
        "states": {state: [row.word, row.tone] for state, row in STATES.items()},
        "classes": dict(CLASS_WORDS),
        "outages": sorted(HOLDING),
    }


def message_ids() -> set[str]:
    """Every text in it that is translated."""
    words = vocabulary()
    told = {word for table in ("events", "states") for word, _tone in words[table].values()}
    return told | set(words["classes"].values())
