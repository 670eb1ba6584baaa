"""How the lanes are written down: keys that are not used yet, variables that are not used any more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from antrian.doctor.finding import Finding, ok, warning
from antrian.domain.lane import VARIABLES, Lane
from antrian.domain.settings import Settings

SUBJECT = "settings"

#: Lanes that one sentence names.
_MOST_NAMED = 5

#: What the tables of lanes in a file begin with.
_TABLE = "lanes"


@dataclass(frozen=True, slots=True)
class Wording:
    """Names a lane's value as the one who set it knows it: by its variable, or by lane and key.

    Attributes:
        lanes: names of the lanes that have it from the file; None where variables describe them.
    """

    lanes: tuple[str, ...] | None

    @classmethod
    def of(cls, settings: Settings, lanes: Sequence[Lane]) -> "Wording":
        """How to name a value of these lanes."""
        return cls(tuple(lane.name for lane in lanes) if settings.lanes.digest else None)

    def __call__(self, key: str) -> str:
        """The value's name."""
        if self.lanes is None:
            return VARIABLES[key]
        # As a reader of the file finds it, in whatever language the page is.
        named = [f"{_TABLE}.{name}" for name in self.lanes[:_MOST_NAMED]]
        if len(self.lanes) > _MOST_NAMED:
            named.append("…")
        return f"{key} ({', '.join(named)})"


def check(settings: Settings) -> Iterator[Finding]:
    """Keys that this version does not use yet, and variables that a file of lanes makes useless."""
    by_keys: dict[tuple[str, ...], list[Lane]] = {}
    for lane in settings.lanes.values():
        if lane.not_kept:
            by_keys.setdefault(lane.not_kept, []).append(lane)
    for keys, lanes in by_keys.items():
        words = Wording.of(settings, lanes)
        yield warning(
            SUBJECT,
            f"Set, and not used by this version yet: {', '.join(map(words, keys))}.",
            "Leave it there: a later version needs it to read receipts.",
        )
    unused = [VARIABLES[key] for key in _REPLACED if f"{VARIABLES[key].lower()}" in settings.model_fields_set]
    if settings.lanes.digest and unused:
        yield ok(SUBJECT, f"{settings.lanes.origin} describes the lanes, so these are not used: {', '.join(unused)}.")


#: Keys whose variables say nothing where there is a file; the others are defaults for its lanes.
_REPLACED = (
    "lanes", "provider", "url", "sender", "key", "options", "preset", "daily_cap", "hourly_cap", "cold_daily_cap",
    "warm_up", "recipient_gap", "window", "timezone",
)  # fmt: skip
