"""`lanes.toml`: the lanes as a file, read and checked as a whole.

    [lanes.default]
    provider = "mpwa"
    url = "https://panel.example.org"
    sender = "6281234567890"
    key_file = "/run/secrets/mpwa"
    delay = 10

One error names every fault, each with its lane and key. No secret is ever quoted; where a value is quoted, it is one
that cannot hold a secret. A secret's file that cannot be read is no fault of `lanes.toml`: most processes need no
secret. The lane keeps it in `missing`, and whoever is to send with the lane refuses to.
"""

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import SecretStr

from antrian.domain.errors import SettingsError
from antrian.domain.lane import WHATSAPP, Lane, Lanes
from antrian.domain.lane_limits import (
    LARGEST_CAP,
    PRESET_JITTER,
    PRESETS,
    Limits,
    WarmUp,
    parse_timezone,
    parse_windows,
)
from antrian.domain.provider_catalog import PROVIDERS, why_unknown
from antrian.domain.suggestion import did_you_mean
from antrian.domain.web_address import web_address

#: A file of a thousand lanes is a tenth of this.
LARGEST_FILE = 4 * 1024 * 1024

#: Seconds; as of the variables.
_LONGEST_DELAY = 2**24 - 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SENDER = re.compile(r"[\x21-\x7e]{1,100}")
_LARGEST_SECRET = 64 * 1024

T = TypeVar("T")
ReadSecret = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class LaneDefaults:
    """What holds for a lane that does not say it by itself.

    Attributes:
        delay: seconds.
        jitter: seconds; None for what the lane's preset says.
        max_attempts: in all.
        longest_pause: seconds that delay and jitter may make together: a message is held un-acked meanwhile.
    """

    delay: float = 10.0
    jitter: float | None = None
    max_attempts: int = 3
    longest_pause: float = 1800.0


def read_lanes(path: Path, defaults: LaneDefaults) -> Lanes:
    """The lanes of a file, with the secrets that this process may read.

    Raises:
        SettingsError: the file cannot be read or is wrong; names every fault.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise SettingsError(f"WHATSAPP_QUEUE_LANES_FILE: {path} cannot be read: {error.strerror}") from error
    return parse_lanes(content, defaults, origin=str(path), read_secret=_SecretFiles(path.parent).read)


def parse_lanes(
    content: bytes, defaults: LaneDefaults, *, origin: str = "lanes.toml", read_secret: ReadSecret
) -> Lanes:
    """The lanes of a file's content.

    Args:
        content: TOML.
        defaults: for what a lane does not say.
        origin: the file, as faults name it.
        read_secret: gives the content of a secret's file; raises OSError or ValueError.

    Raises:
        SettingsError: it is wrong; names every fault.
    """
    faults: list[str] = []
    tables = _tables(content, origin, faults)
    readers = [_LaneReader(name, table, defaults, read_secret) for name, table in tables.items()]
    lanes = [reader.lane for reader in readers]
    for reader in readers:
        faults += reader.faults
    faults += _shared_senders(lanes)
    if not tables and not faults:
        faults.append('there is no lane; a lane begins with a line like "[lanes.default]"')
    if faults:
        # What is missing for sending is told at the same time, though by itself it stops only a consumer.
        faults += [line for lane in lanes for line in lane.missing]
        raise SettingsError(f"wrong lanes in {origin}:\n" + "\n".join(f"  {fault}" for fault in faults))
    return Lanes(lanes, origin=origin, digest=hashlib.sha256(content).hexdigest()[:12])


def _tables(content: bytes, origin: str, faults: list[str]) -> Mapping[str, Mapping[str, Any]]:
    """The table of each lane, by name; whatever else there is, is a fault."""
    document = _document(content, origin)
    faults += [
        f"{_shown(key)}: is not known{did_you_mean(key, ('lanes',))}; a lane is [lanes.NAME]"
        for key in document
        if key != "lanes"
    ]
    lanes = document.get("lanes", {})
    if not isinstance(lanes, dict):
        faults.append("lanes: must be tables, [lanes.NAME]")
        return {}
    sound: dict[str, Mapping[str, Any]] = {}
    for name, table in lanes.items():
        if not _NAME.fullmatch(name):
            faults.append(
                f"[lanes.{_shown(name)}]: a lane's name is 1 to 40 letters, digits, - and _, and begins with no - or _"
            )
        elif not isinstance(table, dict):
            faults.append(f"lanes.{name}: must be a table, [lanes.NAME]")
        else:
            sound[name] = table
    return sound


def _document(content: bytes, origin: str) -> Mapping[str, Any]:
    if len(content) > LARGEST_FILE:
        raise SettingsError(f"{origin} is larger than {LARGEST_FILE // 1024**2} MiB")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError(f"{origin} is not UTF-8 (at line {line})") from None
    except RecursionError:
        raise SettingsError(f"{origin} is nested too deeply") from None
    except ValueError as error:
        # Among others a number of more than 4,300 digits, of which Python does not say the line.
        raise SettingsError(f"{origin} is not TOML: {error}") from None


class _LaneReader:
    """Reads one lane's table; what is wrong is kept, and a default taken in its place.

    Args:
        name: of the lane.
        table: what the file says about it.
        defaults: for what it does not say.
        read_secret: gives the content of a secret's file.
    """

    KEYS: Final = (
        "channel", "provider", "url", "sender", "key", "key_file", "options", "webhook_secrets",
        "webhook_secrets_file", "delay", "jitter", "max_attempts", "preset", "daily_cap", "hourly_cap",
        "cold_daily_cap", "warm_up", "recipient_gap", "cold_failures", "window", "timezone",
    )  # fmt: skip

    def __init__(self, name: str, table: Mapping[str, Any], defaults: LaneDefaults, read_secret: ReadSecret) -> None:
        self.faults: list[str] = []
        self._name = name
        self._table = table
        self._read_secret = read_secret
        self._missing: list[str] = []
        for key in table:
            if key not in self.KEYS:
                self._fault(_shown(key), f"is not known{did_you_mean(key, self.KEYS)}")
        self.lane = self._lane(defaults)

    def _lane(self, defaults: LaneDefaults) -> Lane:
        provider = self._provider()
        delay = self._read("delay", _number(0, _LONGEST_DELAY), defaults.delay)
        limits = self._limits()
        usual_jitter = PRESET_JITTER[limits.preset] if defaults.jitter is None else defaults.jitter
        jitter = self._read("jitter", _number(0, _LONGEST_DELAY), usual_jitter)
        if delay + jitter > defaults.longest_pause:
            self._fault(
                "delay",
                f"delay + jitter must not be more than {defaults.longest_pause:g} s (WHATSAPP_QUEUE_TIMEOUT_MINUTES): "
                "a message is held un-acked for the whole pause",
            )
        lane = Lane(
            name=self._name,
            channel=self._read("channel", _one_of((WHATSAPP,)), WHATSAPP),
            provider=provider,
            url=self._read("url", _address, None),
            sender=self._read("sender", _sender, None),
            key=self._secret("key"),
            options=self._options(provider),
            webhook_secrets=self._webhook_secrets(),
            delay=delay,
            jitter=jitter,
            max_attempts=self._read("max_attempts", _whole(1, 100), defaults.max_attempts),
            limits=limits,
        )
        for need in PROVIDERS[provider].needs if provider in PROVIDERS else ():
            if need not in self._table and f"{need}_file" not in self._table:
                also = " (or key_file)" if need == "key" else ""
                self._fault(f"{need}{also}", f"is missing; the provider {provider} needs it")
        return replace(lane, missing=tuple(self._missing))

    def _provider(self) -> str:
        if "provider" not in self._table:
            self._fault("provider", f"is missing; known providers: {', '.join(PROVIDERS)}")
            return ""
        return self._read("provider", _known_provider, "")

    def _limits(self) -> Limits:
        preset = PRESETS[self._read("preset", _one_of(tuple(PRESETS)), "none")]
        cap = _whole(0, LARGEST_CAP)
        return replace(
            preset,
            daily_cap=self._read("daily_cap", cap, preset.daily_cap),
            hourly_cap=self._read("hourly_cap", cap, preset.hourly_cap),
            cold_daily_cap=self._read("cold_daily_cap", cap, preset.cold_daily_cap),
            # A cap that is set replaces the ramp of a preset; it would have no effect beside it.
            warm_up=self._read("warm_up", WarmUp.parse, None if "cold_daily_cap" in self._table else preset.warm_up),
            recipient_gap=self._read("recipient_gap", _number(0, _LONGEST_DELAY), preset.recipient_gap),
            cold_failures=self._read("cold_failures", _whole(0, 100), preset.cold_failures),
            windows=self._read("window", parse_windows, preset.windows),
            timezone=self._read("timezone", parse_timezone, preset.timezone),
        )

    def _options(self, provider: str) -> tuple[tuple[str, str], ...]:
        nothing: tuple[tuple[str, str], ...] = ()
        options = self._read("options", _options, nothing)
        kind = PROVIDERS.get(provider)
        if kind is None:
            return options
        for name in kind.missing_options(dict(options)):
            self._fault("options", f"{name} is missing; the provider {provider} needs it")
        for fault in kind.wrong_options(dict(options)):
            self._fault("options", fault)
        known = kind.options
        for name, _ in options:
            if known is not None and name not in known:
                # An option's value may be a secret, so only its name is told.
                self._fault("options", f"{provider} has no option {_shown(name)}{did_you_mean(name, known)}")
        return options

    def _secret(self, key: str) -> SecretStr | None:
        text = self._secret_text(key, _secret_text)
        return None if text is None else SecretStr(text)

    def _webhook_secrets(self) -> tuple[SecretStr, ...]:
        text = self._secret_text("webhook_secrets", lambda value: "\n".join(_secret_list(value)))
        return tuple(SecretStr(line.strip()) for line in (text or "").splitlines() if line.strip())

    def _secret_text(self, key: str, parse: Callable[[Any], str]) -> str | None:
        """The secret of `key` or of the file that `key_file` names."""
        file_key = f"{key}_file"
        if key in self._table and file_key in self._table:
            self._fault(key, f"is given twice: by itself and as {file_key}")
        if key in self._table:
            return self._read(key, parse, None)
        path = self._read(file_key, _path, None)
        if path is None:
            return None
        try:
            text = self._read_secret(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self._missing.append(f"[lanes.{self._name}] {file_key}: cannot be read: {reason}")
            return None
        if not text.strip():
            self._missing.append(f"[lanes.{self._name}] {file_key}: the file is empty")
            return None
        return text.strip()

    def _read(self, key: str, parse: Callable[[Any], T], default: T) -> T:
        if key not in self._table:
            return default
        try:
            return parse(self._table[key])
        except ValueError as error:
            self._fault(key, str(error))
            return default

    def _fault(self, key: str, what: str) -> None:
        self.faults.append(f"[lanes.{self._name}] {key}: {what}")


class _SecretFiles:
    """Reads files of secrets; relative paths begin at the folder of `lanes.toml`.

    Args:
        folder: of `lanes.toml`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> str:
        """The content.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not UTF-8.
        """
        with (self._folder / path).open("rb") as file:
            return file.read(_LARGEST_SECRET).decode()


def _shared_senders(lanes: list[Lane]) -> Iterator[str]:
    first: dict[tuple[str, ...], str] = {}
    for lane in lanes:
        if not lane.sender_identity:
            continue
        other = first.setdefault(lane.sender_identity, lane.name)
        if other != lane.name:
            what = "is missing, as it is in" if lane.sender is None else "is also the one of"
            yield f"[lanes.{lane.name}] sender: {what} lane {other}: two lanes of one sender would break its pace"
    named: dict[tuple[str, ...], str] = {}
    for lane in lanes:
        other = named.setdefault(lane.option_identity, lane.name)
        if lane.option_identity and other != lane.name:
            option = lane.option_identity[2]
            yield (
                f"[lanes.{lane.name}] options: {option} is also the one of lane {other}: two lanes of one sender "
                "would break its pace"
            )


def _shown(key: str) -> str:
    """A key as it may be printed: on one line, and no longer than a person would write it."""
    printable = "".join(character if character.isprintable() else "?" for character in key)
    return printable if len(printable) <= 60 else f"{printable[:60]}…"  # noqa: PLR2004 (a line's width)


def _number(least: float, most: float) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        if type(value) not in {int, float} or not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:.0f}{_given(value)}")
        return float(value)

    return parse


def _whole(least: int, most: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}{_given(value)}")
        return value

    return parse


def _given(value: Any) -> str:
    """A number as it was given; nothing for a text, which may be a secret in the wrong place."""
    return f" (given: {value:g})" if type(value) in {int, float} and abs(value) < 1e15 else ""  # noqa: PLR2004


def _one_of(known: tuple[str, ...]) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in known:
            hint = did_you_mean(value, known) if isinstance(value, str) else ""
            raise ValueError(f"must be one of: {', '.join(known)}{hint}")
        return str(value)

    return parse


def _known_provider(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a name, one of: {', '.join(PROVIDERS)}")  # noqa: TRY004 (a fault of the file)
    if reason := why_unknown(_shown(value)):
        raise ValueError(reason)
    return value


def _sender(value: Any) -> str:
    if not isinstance(value, str) or not _SENDER.fullmatch(value):
        raise ValueError('must be a text without spaces, such as "6281234567890"')
    return value


def _path(value: Any) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("must be the path of a file")
    return value


def _secret_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text, and not empty")
    return value.strip()


def _secret_list(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise ValueError('must be a list of texts, ["…"]')
    return [_secret_text(one) for one in value]


def _options(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError('must be a table, such as { name = "value" }')  # noqa: TRY004 (a fault of the file)
    wrong = [_shown(name) for name, one in value.items() if type(one) not in {str, int, float, bool}]
    if wrong:
        raise ValueError(f"must hold texts or numbers; not so: {', '.join(wrong)}")
    return tuple((name, _option_text(one)) for name, one in value.items())


def _option_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _address(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be an address, http:// or https:// with a host")  # noqa: TRY004 (a fault of the file)
    return web_address(value)
