"""A lane as a value: through which provider one sender's messages leave, and how fast.

Where lanes come from: `lanes.toml` (see `antrian.domain.lanes_file`), or the `WHATSAPP_*` variables.
"""

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

from pydantic import SecretStr

from antrian.domain.errors import SettingsError, UnknownLane
from antrian.domain.lane_limits import NO_LIMITS, Limits
from antrian.domain.provider_catalog import PROVIDERS, why_unknown

if TYPE_CHECKING:
    from antrian.domain.settings import Settings

#: The only channel of this version.
WHATSAPP = "whatsapp"

#: How many lanes a sentence names, and how much of a name that no lane has.
_MOST_LISTED = 20
_LONGEST = 60

#: Which variable says what, where there is no file.
VARIABLES = {
    "lanes": "WHATSAPP_QUEUE_LANES",
    "provider": "WHATSAPP_PROVIDER",
    "url": "WHATSAPP_API_URL",
    "key": "WHATSAPP_API_KEY",
    "sender": "WHATSAPP_SENDER",
    "options": "WHATSAPP_PROVIDER_OPTIONS",
    "webhook_secrets": "WHATSAPP_WEBHOOK_SECRET",
    "delay": "WHATSAPP_QUEUE_DELAY",
    "jitter": "WHATSAPP_QUEUE_JITTER",
    "max_attempts": "WHATSAPP_QUEUE_MAX_ATTEMPTS",
    "preset": "WHATSAPP_QUEUE_PRESET",
    "daily_cap": "WHATSAPP_QUEUE_DAILY_CAP",
    "hourly_cap": "WHATSAPP_QUEUE_HOURLY_CAP",
    "cold_daily_cap": "WHATSAPP_QUEUE_COLD_DAILY_CAP",
    "warm_up": "WHATSAPP_QUEUE_WARM_UP",
    "recipient_gap": "WHATSAPP_QUEUE_RECIPIENT_GAP",
    "cold_failures": "WHATSAPP_QUEUE_COLD_FAILURES",
    "window": "WHATSAPP_QUEUE_WINDOW",
    "timezone": "WHATSAPP_QUEUE_TIMEZONE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One sender's queue, and how it is sent.

    Attributes:
        name: of the lane; in every queue's name and routing key.
        channel: what carries the messages.
        provider: which adapter sends; a key of `antrian.domain.provider_catalog.PROVIDERS`, once `missing` is empty.
        url: base address of the provider; None for the provider's own.
        sender: the sender's number, or the provider's own name for it; None where the provider needs none.
        key: of the provider.
        options: what else the provider wants to know, as pairs of name and value.
        webhook_secrets: what the provider signs its receipts with; several while one is replaced.
        delay: seconds between the end of one send and the start of the next.
        jitter: up to so many seconds more, at random.
        max_attempts: attempts in all before a message becomes a dead letter.
        limits: caps and windows.
        missing: what keeps the lane from sending, a sentence each; empty when it can.
    """

    name: str
    channel: str = WHATSAPP
    provider: str = "mpwa"
    url: str | None = field(default=None, repr=False)
    sender: str | None = None
    key: SecretStr | None = None
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    webhook_secrets: tuple[SecretStr, ...] = ()
    delay: float = 10.0
    jitter: float = 0.0
    max_attempts: int = 3
    limits: Limits = NO_LIMITS
    missing: tuple[str, ...] = ()

    @property
    def is_sandbox(self) -> bool:
        """Whether a stand-in sends: nothing of this lane reaches WhatsApp."""
        return self.provider in PROVIDERS and PROVIDERS[self.provider].is_sandbox

    @property
    def uses_own_sandbox(self) -> bool:
        """Whether it sends to the sandbox of this machine, at `SANDBOX_PORT`."""
        return self.is_sandbox and self.url is None

    def pause(self) -> float:
        """The pause after one send, in seconds: the delay plus up to the jitter, never less than the delay."""
        return self.delay + random.uniform(0, self.jitter)  # noqa: S311 (not a secret)

    def option(self, name: str, default: str = "") -> str:
        """The provider's option of that name."""
        return dict(self.options).get(name, default)

    @property
    def sender_identity(self) -> tuple[str, ...]:
        """Equal for two lanes of one sender, however its number is written; empty where there is no sender.

        A number is the same at every provider; a provider's own name for a sender only at one address of it.
        """
        written = (self.sender or "").casefold().removeprefix("whatsapp:")
        digits = "".join(character for character in written if character not in "+-. ()")
        if digits.isdecimal():
            return (digits,)
        return (self.provider, self.url or "", written) if written or self.is_sandbox else ()

    @property
    def option_identity(self) -> tuple[str, ...]:
        """Equal for two lanes whose options name one sender to the provider; empty where no option does."""
        option = PROVIDERS[self.provider].sender_option if self.provider in PROVIDERS else ""
        return (self.provider, self.url or "", option, self.option(option)) if self.option(option) else ()

    @property
    def sender_key(self) -> str:
        """What the facts about its contacts are kept under: they belong to the sender, not to the lane."""
        return ":".join(self.sender_identity) or f"lane:{self.name}"

    @property
    def not_kept(self) -> tuple[str, ...]:
        """What is set for this lane and not used by this version yet, by key."""
        return ()


class Lanes(Mapping[str, Lane]):
    """All lanes, by name and in order.

    Args:
        lanes: them.
        origin: where they are written down: a path, or `WHATSAPP_QUEUE_LANES`.
        digest: names the content of the file; empty for the variables.
    """

    def __init__(self, lanes: Sequence[Lane], *, origin: str = "WHATSAPP_QUEUE_LANES", digest: str = "") -> None:
        self._by_name = {lane.name: lane for lane in lanes}
        self.origin = origin
        self.digest = digest

    def __getitem__(self, name: str) -> Lane:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    @property
    def names(self) -> tuple[str, ...]:
        """The lanes' names, in order."""
        return tuple(self._by_name)

    @property
    def first(self) -> Lane:
        """The first lane: what is shown where none is named."""
        return next(iter(self._by_name.values()))

    def known(self, name: str) -> Lane:
        """The lane of that name; one with nothing set where it has just been taken out."""
        return self._by_name.get(name) or Lane(name=name)

    def meant_by(self, name: str | None) -> Lane:
        """The lane that is meant: the one named, or the only one there is.

        Raises:
            UnknownLane: there is no such lane, or there are several and none is named.
        """
        if name is None and len(self) > 1:
            raise UnknownLane("lane-needed", f"there are several lanes; name one of them: {_listed(self)}")
        if name is not None and name not in self:
            raise unknown_lane(name, self)
        return self.first if name is None else self[name]

    def shown_by(self, name: str | None) -> Lane:
        """The lane that is looked at: the one named, or the first.

        Raises:
            UnknownLane: there is no such lane.
        """
        return self.meant_by(self.first.name if name is None else name)


def check_complete(lanes: Iterable[Lane]) -> None:
    """See that all lanes can send.

    Raises:
        SettingsError: names everything that is missing.
    """
    missing = list(dict.fromkeys(line for lane in lanes for line in lane.missing))
    if missing:
        raise SettingsError(missing[0] if len(missing) == 1 else "\n  ".join(["lanes cannot send:", *missing]))


def unknown_lane(name: str, lanes: Collection[str]) -> UnknownLane:
    """The error of a name that no lane has."""
    return UnknownLane("unknown-lane", f"there is no lane {name[:_LONGEST]!r}; the lanes are: {_listed(lanes)}")


def _listed(lanes: Collection[str]) -> str:
    more = f" and {len(lanes) - _MOST_LISTED} more" if len(lanes) > _MOST_LISTED else ""
    return ", ".join(islice(lanes, _MOST_LISTED)) + more


@dataclass(frozen=True, slots=True)
class LaneChanges:
    """What becomes of the lanes when other ones are to be served; names.

    Attributes:
        added: new ones.
        changed: those whose value differs.
        removed: those that are no more.
        moved_senders: a sentence for each sender that would change its lane: that would break its pace.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    moved_senders: tuple[str, ...]


def lane_changes(before: Mapping[str, Lane], after: Mapping[str, Lane]) -> LaneChanges:
    """How two sets of lanes differ."""
    lane_of = {lane.sender_identity: name for name, lane in before.items() if lane.sender_identity}
    moved = [
        f"lane {name} is given the sender that lane {lane_of[lane.sender_identity]} sends with: give it up there "
        "first and apply, then give it here"
        for name, lane in after.items()
        if lane_of.get(lane.sender_identity, name) != name
    ]
    return LaneChanges(
        added=tuple(name for name in after if name not in before),
        changed=tuple(name for name in after if name in before and after[name] != before[name]),
        removed=tuple(name for name in before if name not in after),
        moved_senders=tuple(moved),
    )


def lanes_of(settings: "Settings") -> Lanes:
    """The lanes that the settings describe: those of the file where one is named, else those of the variables."""
    return settings.lanes


def lanes_of_variables(settings: "Settings") -> Lanes:
    """The lanes as `WHATSAPP_QUEUE_LANES` and its neighbours describe them; the file is not looked at."""
    specs = (spec.partition("=") for spec in settings.whatsapp_queue_lanes)
    lanes = [_lane_of_variables(settings, name, sender) for name, _, sender in specs]
    if len(lanes) > 1 and lanes[0].option_identity:
        option = PROVIDERS[lanes[0].provider].sender_option
        reason = (
            f"{VARIABLES['options']}: {option} is one sender's: describe several lanes in WHATSAPP_QUEUE_LANES_FILE"
        )
        lanes = [replace(lane, missing=(*lane.missing, reason)) for lane in lanes]
    return Lanes(lanes)


def _lane_of_variables(settings: "Settings", name: str, own_sender: str) -> Lane:
    provider, sender = settings.whatsapp_provider, own_sender or settings.whatsapp_sender
    given = {"url": settings.whatsapp_api_url, "key": settings.whatsapp_api_key, "sender": sender}
    return Lane(
        name=name,
        provider=provider,
        url=settings.whatsapp_api_url,
        sender=sender,
        key=settings.whatsapp_api_key,
        options=tuple(settings.whatsapp_provider_options.items()),
        webhook_secrets=settings.webhook_secrets,
        delay=settings.whatsapp_queue_delay,
        jitter=settings.jitter,
        max_attempts=settings.whatsapp_queue_max_attempts,
        limits=settings.limits,
        missing=tuple(_missing_variables(provider, given, settings.whatsapp_provider_options)),
    )


def _missing_variables(provider: str, given: Mapping[str, object], options: Mapping[str, str]) -> Iterator[str]:
    if reason := why_unknown(provider):
        yield f"WHATSAPP_PROVIDER: {reason}"
        return
    kind, at = PROVIDERS[provider], VARIABLES["options"]
    missing = [VARIABLES[need] for need in kind.needs if given[need] is None]
    missing += [f"{name} in {at}" for name in kind.missing_options(options)]
    if missing:
        yield f"WHATSAPP_PROVIDER is {provider}, which also needs: {', '.join(missing)}"
    for fault in kind.wrong_options(options):
        yield f"{at}: {fault}"
