"""Adapters of other people, found by their entry point: looked for only when they are named, and never half."""

import sys

import pytest

from antrian.domain import provider_package
from antrian.domain.errors import SettingsError
from antrian.domain.provider_catalog import PROVIDERS, why_unknown
from antrian.domain.provider_package import ProviderTable, package_of
from antrian.providers.receipt_readers import READERS
from antrian.providers.registry import _PROVIDERS as CLIENTS

PACKAGE = """
from antrian.domain.provider_catalog import ProviderKind
from antrian.domain.provider_package import ProviderPackage
PACKAGE = ProviderPackage(kind=ProviderKind("kabar", "Kabar", tells=""), client="antrian_kabar:make")
OTHER = "no package"
def make(lane):
    return ("a client of", lane)
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs one module of another people's adapter, whose entry point names this place."""

    def install(source, place="antrian_kabar:PACKAGE"):
        (tmp_path / "antrian_kabar.py").write_text(source)
        information = tmp_path / "antrian_kabar-1.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: antrian-kabar\nVersion: 1.0\n")
        (information / "entry_points.txt").write_text(f"[antrian.providers]\nkabar = {place}\n")
        monkeypatch.syspath_prepend(tmp_path)

    package_of.cache_clear()
    yield install
    package_of.cache_clear()
    sys.modules.pop("antrian_kabar", None)
    for table in (PROVIDERS, CLIENTS, READERS):
        table.pop("kabar", None)


def test_an_installed_adapter_has_its_rows_where_it_has_them(install):
    assert "kabar" not in PROVIDERS
    package_of.cache_clear()
    install(PACKAGE)
    assert why_unknown("kabar") == ""
    assert (PROVIDERS["kabar"].title, CLIENTS["kabar"]("the lane", 9)) == ("Kabar", ("a client of", "the lane"))
    assert ("kabar" in READERS, READERS.get("kabar")) == (False, None)
    with pytest.raises(KeyError):
        READERS["kabar"]


@pytest.mark.parametrize(
    ("source", "place", "words"),
    [
        ("1 / 0", "antrian_kabar:PACKAGE", "cannot be loaded: division by zero"),
        ("", "antrian_kabar:PACKAGE", "cannot be loaded: module 'antrian_kabar' has no attribute 'PACKAGE'"),
        (PACKAGE, "elsewhere_kabar:PACKAGE", "cannot be loaded: No module named 'elsewhere_kabar'"),
        (PACKAGE, "antrian_kabar:OTHER", "is no ProviderPackage, but str"),
    ],
)
def test_one_that_cannot_be_used_is_one_sentence(install, source, place, words):
    install(source, place)
    with pytest.raises(SettingsError, match=words) as raised:
        why_unknown("kabar")
    assert place in str(raised.value)


def test_nothing_is_looked_for_while_our_own_are_named(monkeypatch):
    monkeypatch.setattr(provider_package, "_entry_points", lambda: pytest.fail("the installed packages were read"))
    table = ProviderTable({"waha": 1}, lambda _package: 2)
    assert ("waha" in table, table.get("waha"), table["waha"]) == (True, 1, 1)
    assert why_unknown("meta_cloud") == ""
