"""Every adapter passes the checks that a stranger's adapter must pass."""

from antrian.providers.conformance.test_conformance import pytest_generate_tests, test_provider

__all__ = ["pytest_generate_tests", "test_provider"]
