"""All checks, and what a provider makes of them."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antrian.domain.provider_catalog import PROVIDERS
from antrian.providers.conformance import (
    answer_checks,
    connection_checks,
    description_checks,
    privacy_checks,
    request_checks,
    webhook_checks,
)
from antrian.providers.conformance.check import Check, ConformanceError
from antrian.providers.conformance.probe import ProviderProbe

#: In the order in which a new adapter learns to pass them.
CHECKS: Sequence[Check] = (
    *description_checks.CHECKS,
    *request_checks.CHECKS,
    *answer_checks.CHECKS,
    *connection_checks.CHECKS,
    *privacy_checks.CHECKS,
    *webhook_checks.CHECKS,
)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found.

    Attributes:
        check: which.
        complaint: empty where the provider passes.
    """

    check: Check
    complaint: str


def checks_for(probe: ProviderProbe) -> list[Check]:
    """Those that apply to this provider."""
    return [check for check in CHECKS if check.applies(probe)]


def run(probe: ProviderProbe) -> Iterator[CheckResult]:
    """Run all checks that apply; each result as it comes."""
    for check in checks_for(probe):
        try:
            check.demand(probe)
        except ConformanceError as error:
            yield CheckResult(check, str(error))
        else:
            yield CheckResult(check, "")


def own_providers() -> list[str]:
    """The providers that come with Antrian and have a description, in the catalog's order."""
    return [name for name, kind in PROVIDERS.items() if not kind.is_sandbox]


def load_probe(name: str) -> ProviderProbe:
    """The description of a provider.

    Args:
        name: of a provider in the catalog, or `module:name` of a description or of a function that makes one.

    Raises:
        ConformanceError: there is none.
    """
    place = name if ":" in name else f"antrian.providers.{name}.conformance:PROBE"
    module, _, attribute = place.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConformanceError(f"there is no description of a provider at {place}: {error}") from error
    made = found() if callable(found) else found
    if not isinstance(made, ProviderProbe):
        raise ConformanceError(f"{place} is no ProviderProbe, but {type(made).__name__}")
    return made
