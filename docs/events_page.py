"""The page about events: the table of a message's life, as the code has it."""

import re
from string import Template

from generated import DOCS, TEMPLATES, documented, table

from antrian.domain.event_name import EventName
from antrian.domain.failure_class import FailureClass
from antrian.domain.lifecycle import LIFECYCLE, STATES, LifecycleRow

_COMMENTED = re.compile(r"^((?:    #: .+\n)+)    (\w+) = ", re.MULTILINE)


def page() -> str:
    """docs/reference/events.md.

    Raises:
        LookupError: an event is not explained in `antrian/domain/event_name.py`.
    """
    source = (DOCS.parent / "antrian" / "domain" / "event_name.py").read_text(encoding="utf-8")
    meanings = {
        EventName[name]: " ".join(line.strip(" #:") for line in comment.splitlines())
        for comment, name in _COMMENTED.findall(source)
    }
    documented("events", set(EventName), set(meanings))
    told = [row for row in LIFECYCLE.values() if row.state or row.copy]
    return Template((TEMPLATES / "events.md").read_text(encoding="utf-8")).substitute(
        messages=table(
            ("event", "what happened", "the message then", "attempt", "an end", "dashboard"),
            [(f"`{row.event}`", meanings[row.event], _state(row), _attempt(row), _end(row), row.word) for row in told],
        ),
        others=table(
            ("event", "what happened", "dashboard"),
            [(f"`{row.event}`", meanings[row.event], row.word) for row in LIFECYCLE.values() if row not in told],
        ),
        states=table(
            ("state", "dashboard", "final"), [(f"`{s}`", r.word, _yes(is_so=r.is_final)) for s, r in STATES.items()]
        ),
        classes=table(
            ("failure class", "counts as an attempt", "holds the lane"),
            [(f"`{one}`", _yes(is_so=one.is_counted), _yes(is_so=one.holds_lane)) for one in FailureClass],
        ),
    )


def _state(row: LifecycleRow) -> str:
    return f"`{row.state}`" if row.state else "as its new copy says"


def _attempt(row: LifecycleRow) -> str:
    return row.attempt.name.lower() if row.attempt else ""


def _end(row: LifecycleRow) -> str:
    return f"`{row.state}`" if row.end else ""


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else ""
