"""Which dialects the sandbox speaks."""

from typing import Final

from antrian.sandbox.dialects.dialect import Dialect
from antrian.sandbox.dialects.fonnte import FonnteDialect
from antrian.sandbox.dialects.gowa import GowaDialect
from antrian.sandbox.dialects.meta_cloud import MetaCloudDialect
from antrian.sandbox.dialects.mpwa import MpwaDialect
from antrian.sandbox.dialects.sandbox import SandboxDialect
from antrian.sandbox.dialects.twilio import TwilioDialect
from antrian.sandbox.dialects.waha import WahaDialect

_ALL: Final[tuple[Dialect, ...]] = (
    SandboxDialect(),
    MpwaDialect(),
    MetaCloudDialect(),
    TwilioDialect(),
    WahaDialect(),
    GowaDialect(),
    FonnteDialect(),
)

DIALECTS: Final[dict[str, Dialect]] = {dialect.name: dialect for dialect in _ALL}

#: What the root of the sandbox's address speaks.
OWN: Final[Dialect] = DIALECTS["sandbox"]

_PREFIX: Final = "/dialect/"


def dialect_at(path: str) -> tuple[Dialect, str] | None:
    """The dialect that an address belongs to, and the path below the dialect's own; None where there is no such."""
    if not path.startswith(_PREFIX):
        return OWN, path
    name, _, below = path.removeprefix(_PREFIX).partition("/")
    dialect = DIALECTS.get(name)
    return (dialect, f"/{below}") if dialect else None
