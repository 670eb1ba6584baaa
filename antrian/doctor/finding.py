"""What the doctor says about one thing."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How a thing is."""

    #: As it should be.
    OK = "ok"
    #: It works, and is dangerous or looks like a mistake.
    WARNING = "warning"
    #: Messages are not sent, or promises are not kept.
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        subject: a bounded word for machines, such as `topology`.
        state: how it is.
        found: one sentence, without secrets.
        todo: what to do about it, in one sentence; empty when it is as it should be.
    """

    subject: str
    state: Severity
    found: str
    todo: str = ""


def ok(subject: str, found: str) -> Finding:
    """It is as it should be."""
    return Finding(subject, Severity.OK, found)


def warning(subject: str, found: str, todo: str) -> Finding:
    """It works, but deserves a look."""
    return Finding(subject, Severity.WARNING, found, todo)


def problem(subject: str, found: str, todo: str) -> Finding:
    """It does not work, or will not."""
    return Finding(subject, Severity.PROBLEM, found, todo)


def count(findings: Iterable[Finding], state: Severity) -> int:
    """How many findings are in that state."""
    return sum(one.state is state for one in findings)
