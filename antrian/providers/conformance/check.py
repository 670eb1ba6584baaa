"""One check: a name, what it demands, and what it says when that is not so."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from antrian.domain.failure_class import FailureClass
from antrian.providers.conformance.probe import ProviderProbe
from antrian.providers.contract import Failed, SendResult


class ConformanceError(AssertionError):
    """The adapter, or its description, does not do what a check demands."""


class Area(StrEnum):
    """What a check is about."""

    DESCRIPTION = "description"
    REQUEST = "request"
    ANSWERS = "answers"
    CONNECTION = "connection"
    PRIVACY = "privacy"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: as a test's name: what must be so.
        area: what it is about.
        demand: raises `ConformanceError` where it is not so.
        applies: whether this provider has what is checked.
    """

    name: str
    area: Area
    demand: Callable[[ProviderProbe], None]
    applies: Callable[[ProviderProbe], bool]


class Checks(list[Check]):
    """The checks of one area, collected by a decorator.

    Args:
        area: of all of them.
        applies: whether a provider has what they check; for those that say nothing else.
    """

    def __init__(self, area: Area, applies: Callable[[ProviderProbe], bool] = lambda _probe: True) -> None:
        super().__init__()
        self._area = area
        self._applies = applies

    def add(
        self, applies: Callable[[ProviderProbe], bool] | None = None
    ) -> Callable[[Callable[[ProviderProbe], None]], Callable[[ProviderProbe], None]]:
        """Add the decorated function as a check; its name becomes the check's."""

        def collect(demand: Callable[[ProviderProbe], None]) -> Callable[[ProviderProbe], None]:
            name = demand.__name__.replace("_s_", "'s ").replace("_", " ")
            self.append(Check(name, self._area, demand, applies or self._applies))
            return demand

        return collect


def demand(condition: object, otherwise: str) -> None:
    """Go on only if the condition holds.

    Raises:
        ConformanceError: it does not; says `otherwise`.
    """
    if not condition:
        raise ConformanceError(otherwise)


def told(result: SendResult) -> str:
    """A result in words, for a complaint."""
    return f"failed as {result.failure_class} ({result.code})" if isinstance(result, Failed) else "accepted"


def demand_class(result: SendResult, allowed: Collection[FailureClass | None], when: str, why: str = "") -> None:
    """Demand that a result is of one of these classes; None stands for "accepted"."""
    found = result.failure_class if isinstance(result, Failed) else None
    wanted = " or ".join(sorted("accepted" if one is None else str(one) for one in allowed))
    demand(found in allowed, f"{when}: the adapter says {told(result)}, and must say {wanted}{why and ': ' + why}")
