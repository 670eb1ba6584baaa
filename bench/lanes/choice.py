"""Which numbers of lanes are measured, and whose processes."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.child import CHECKOUT

USUAL, QUICK = (50, 100, 200, 500, 1_000), (10, 20, 40)


@dataclass(frozen=True, slots=True)
class Choice:
    """What to measure.

    Attributes:
        lanes: numbers of lanes; the usual ones when empty.
        delay: the pause of each lane, in seconds; the usual one when None.
        seconds: how long the lanes are watched; as usual when None.
        against: another source tree whose processes are measured in turns with ours.
    """

    lanes: tuple[int, ...] = ()
    delay: float | None = None
    seconds: float | None = None
    against: Path | None = None

    def counts(self, *, quick: bool) -> list[int]:
        """Numbers of lanes, ascending."""
        return sorted(self.lanes or (QUICK if quick else USUAL))

    def checkouts(self) -> dict[str, Path]:
        """The source trees by what they are called in a report."""
        return {name_of(one): one for one in (CHECKOUT, self.against) if one is not None}


def name_of(checkout: Path) -> str:
    """The commit of a source tree, or its folder's name where there is none."""
    asked = subprocess.run(
        ["git", "-C", checkout, "describe", "--always", "--dirty", "--exclude", "*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or checkout.name


def lane_specs(count: int) -> str:
    """So many lanes with a sender each, as `WHATSAPP_QUEUE_LANES` takes them."""
    return ",".join(f"lane{number:04d}={62_811_000_000_000 + number}" for number in range(count))
