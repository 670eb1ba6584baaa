"""Every check for every chosen provider, as pytest collects them."""

import pytest

from antrian.domain.errors import SettingsError
from antrian.providers.conformance.check import Check, ConformanceError
from antrian.providers.conformance.probe import ProviderProbe
from antrian.providers.conformance.run import checks_for, complaint_of, load_probe, own_providers


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check that applies to each provider.

    Which these are says the module that the tests are in, as `CONFORMANCE_PROVIDERS`, or the command, as `--provider`.
    """
    named = getattr(metafunc.module, "CONFORMANCE_PROVIDERS", None) or metafunc.config.getoption(
        "--provider", default=[]
    )
    chosen = named or own_providers()
    probes = [_probe(name) for name in chosen]
    cases = [(probe, check) for probe in probes for check in checks_for(probe)]
    names = [f"{probe.provider}: {check.name}" for probe, check in cases]
    metafunc.parametrize(("probe", "check"), cases, ids=names)


def _probe(name: str) -> ProviderProbe:
    complaint = ""
    try:
        return load_probe(name)
    except (ConformanceError, SettingsError) as error:
        complaint = str(error)
    pytest.fail(complaint, pytrace=False)


def test_provider(probe: ProviderProbe, check: Check) -> None:
    """One check of one provider; its complaint is one sentence, without a traceback through the kit."""
    complaint = complaint_of(check, probe)
    if complaint:
        pytest.fail(f"{check.demand.__doc__ or check.name}\n\n  {complaint}", pytrace=False)
