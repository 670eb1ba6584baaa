"""PYTEST_DONT_REWRITE The option `--provider` of pytest, for `pytest --pyargs antrian.providers.conformance`.

pytest reads this in every project that has Antrian installed, so it imports nothing.
"""

from contextlib import suppress
from typing import Any


def pytest_addoption(parser: Any) -> None:
    """Add the option, unless another plugin has one of this name: then theirs is read."""
    with suppress(ValueError):
        parser.getgroup("antrian").addoption(
            "--provider",
            action="append",
            default=[],
            metavar="NAME",
            help="for antrian.providers.conformance: a provider of the catalog, or module:name of a ProviderProbe or "
            "of a function that makes one; may be given several times; without it all providers of the catalog",
        )
