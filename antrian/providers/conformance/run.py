"""All checks, and what a provider makes of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from antrian.domain.errors import SettingsError
from antrian.domain.provider_catalog import PROVIDERS, why_unknown
from antrian.domain.provider_package import load, package_of
from antrian.providers.conformance import (
    answer_checks,
    connection_checks,
    description_checks,
    privacy_checks,
    request_checks,
    signature_checks,
    spoilt_webhook_checks,
    webhook_checks,
)
from antrian.providers.conformance.check import Area, Check, ConformanceError
from antrian.providers.conformance.probe import ProviderProbe

#: In the order in which a new adapter learns to pass them.
CHECKS: Sequence[Check] = (
    *description_checks.CHECKS,
    *request_checks.CHECKS,
    *answer_checks.CHECKS,
    *connection_checks.CHECKS,
    *privacy_checks.CHECKS,
    *webhook_checks.CHECKS,
    *signature_checks.CHECKS,
    *spoilt_webhook_checks.CHECKS,
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


def run(probe: ProviderProbe, areas: Collection[Area] = frozenset(Area)) -> Iterator[CheckResult]:
    """Run the checks of these areas that apply; each result as it comes.

    Those of `Area.PRIVACY` listen to all that this process logs and prints: nothing else may run beside them.
    """
    for check in checks_for(probe):
        if check.area not in areas:
            continue
        yield CheckResult(check, complaint_of(check, probe))


def complaint_of(check: Check, probe: ProviderProbe) -> str:
    """What a check has to complain of; empty where the provider passes."""
    try:
        check.demand(probe)
    except ConformanceError as error:
        return str(error)
    return ""


def own_providers() -> list[str]:
    """The providers that come with Antrian, in the catalog's order, without the sandbox, which stands in for them."""
    return [name for name, kind in PROVIDERS.items() if not kind.is_sandbox and package_of(name) is None]


def load_probe(name: str) -> ProviderProbe:
    """The description of a provider.

    Args:
        name: of a provider in the catalog, or `module:name` of a description or of a function that makes one.

    Raises:
        ConformanceError: there is none.
    """
    try:
        found = load(_place(name))
    except SettingsError as error:
        raise ConformanceError(str(error)) from error
    made = found() if callable(found) else found
    if not isinstance(made, ProviderProbe):
        raise ConformanceError(f"{name} is described by no ProviderProbe, but {type(made).__name__}")
    return made


def _place(name: str) -> str:
    if ":" in name:
        return name
    if reason := why_unknown(name):
        raise ConformanceError(reason)
    package = package_of(name)
    place = f"antrian.providers.{name}.conformance:PROBE" if package is None else package.probe
    if not place:
        raise ConformanceError(f"the package of {name} names no description (`probe`)")
    return place
