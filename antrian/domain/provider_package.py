"""Adapters of other people: packages that name themselves in the entry point group `antrian.providers`.

    [project.entry-points."antrian.providers"]
    kabar = "antrian_kabar:PACKAGE"

The name is what a lane says as its `provider`. Nothing is looked for while only Antrian's own providers are named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, overload

from antrian.domain.errors import SettingsError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

    from antrian.domain.provider_catalog import ProviderKind

GROUP = "antrian.providers"

Row = TypeVar("Row")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPackage:
    """One adapter; the places are written `module:name`, and imported by the processes that need them.

    Attributes:
        kind: its row for the catalog.
        client: a function (lane) → `antrian.providers.contract.Provider`.
        reader: an `antrian.providers.webhook.WebhookReader`; empty where the provider has no webhooks.
        probe: an `antrian.providers.conformance.probe.ProviderProbe`.
    """

    kind: "ProviderKind"
    client: str
    reader: str = ""
    probe: str = ""


class ProviderTable(dict[str, Row]):
    """One row for each provider: Antrian's own, and those of installed packages as soon as they are asked for.

    Args:
        own: Antrian's own rows.
        row_of: the row of a package; None where it has none.
    """

    def __init__(self, own: Mapping[str, Row], row_of: Callable[[ProviderPackage], Row | None]) -> None:
        super().__init__(own)
        self._row_of = row_of

    def __missing__(self, name: str) -> Row:
        package = package_of(name)
        row = self._row_of(package) if package else None
        if row is None:
            raise KeyError(name)
        self[name] = row
        return row

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    @overload
    def get(self, name: str, default: None = None, /) -> Row | None: ...
    @overload
    def get(self, name: str, default: Row | Other, /) -> Row | Other: ...
    def get(self, name: str, default: Any = None, /) -> Any:
        """As of a dictionary; it too looks among the installed packages."""
        try:
            return self[name]
        except KeyError:
            return default


@cache
def package_of(name: str) -> ProviderPackage | None:
    """The installed adapter of this name; None where there is none.

    Raises:
        SettingsError: there is one, and it cannot be used.
    """
    for entry in _entry_points().select(name=name):
        found = load(entry.value)
        if not isinstance(found, ProviderPackage):
            raise SettingsError(f"provider {name}: {entry.value} is no ProviderPackage, but {type(found).__name__}")
        return found
    return None


def installed_names() -> list[str]:
    """The names of all installed adapters; none of them is imported."""
    return sorted(_entry_points().names)


def _entry_points() -> "EntryPoints":
    # Imported late: it takes as long as the rest of the catalog, and most lanes name one of our own.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return entry_points(group=GROUP)


def load(place: str) -> Any:
    """What is at `module:name`.

    Raises:
        SettingsError: nothing is, or its module cannot be imported.
    """
    module, _, name = place.partition(":")
    try:
        return getattr(import_module(module), name)
    except Exception as error:  # its own lines run while it is imported, and may raise anything
        raise SettingsError(f"the adapter at {place} cannot be loaded: {error}") from error
