"""Every setting of every process, read once from the environment into one frozen value.

Each variable may also be given as `NAME_FILE` (a path whose content is the value) or in a `.env` file, in the
working folder or in the checkout. The environment wins over files, `NAME` over `NAME_FILE`.
`WHATSAPP_QUEUE_LANES_FILE` is a variable of its own: the path of `lanes.toml` (see `antrian.domain.lanes_file`).
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from dotenv import dotenv_values
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from antrian.domain.errors import SettingsError
from antrian.domain.lane import Lanes, lanes_of_variables
from antrian.domain.lane_limits import (
    DEFAULT_TIMEZONE,
    LARGEST_CAP,
    PRESET_JITTER,
    PRESETS,
    Limits,
    WarmUp,
    Window,
    parse_timezone,
    parse_windows,
)
from antrian.domain.lanes_file import LaneDefaults, read_lanes
from antrian.domain.web_address import base_address, check_port, web_address

#: The longest delay that the ladder of 24 binary levels can express, in seconds (194 days).
LONGEST_DELAY = 2**24 - 1

T = TypeVar("T")
Seconds = Annotated[float, Field(ge=0, le=LONGEST_DELAY, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
#: `NAME`, or `NAME=SENDER` for a lane with a sender number of its own.
LaneSpec = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}(=[0-9]{6,15})?$")]
Port = Annotated[int, Field(ge=0, le=65535)]
#: None: as the preset says; 0: none.
Cap = Annotated[int, Field(ge=0, le=LARGEST_CAP)] | None


#: Addresses and options, which are no secrets by their type, and are never quoted.
_MAY_HOLD_A_TOKEN = frozenset({"whatsapp_api_url", "whatsapp_provider_options", "callback_url", "callback_sources"})


def checkout() -> Path | None:
    """The source tree that this code runs from, or None when it is installed as a package."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _written(parse: Callable[[str], object]) -> BeforeValidator:
    """Parses a value that is written as text; one that has its type already stays."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def _options(value: str) -> dict[str, str]:
    """`a=b,c=d` as a mapping."""
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise ValueError("must be like name=value,name=value")
    return {name.strip(): text.strip() for name, _, text in pairs}


def _network(value: str) -> str:
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError("must be addresses or networks, such as 127.0.0.1 or 10.0.0.0/8") from None


class Settings(BaseSettings):
    """What the environment says, checked; build it with `load_settings`.

    Durations are in seconds unless the name says otherwise.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    amqp_url: SecretStr | None = None
    whatsapp_api_key: SecretStr | None = None
    whatsapp_sender: Annotated[str, Field(pattern=r"^[0-9]{6,15}$")] | None = None
    whatsapp_api_url: Annotated[str, AfterValidator(web_address)] | None = None
    whatsapp_provider: Name = "mpwa"
    whatsapp_webhook_secret: SecretStr | None = None
    whatsapp_provider_options: Annotated[dict[str, str], NoDecode, _written(_options)] = Field(default_factory=dict)

    whatsapp_queue_delay: Seconds = 10
    whatsapp_queue_jitter: Seconds = 0
    whatsapp_queue_max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    whatsapp_queue_retry_delays: Annotated[tuple[Seconds, ...], NoDecode, Field(min_length=1)] = (30, 120)
    whatsapp_queue_timeout_minutes: Annotated[float, Field(gt=0, le=24 * 60, allow_inf_nan=False)] = 30
    whatsapp_queue_namespace: Name = "wa"
    whatsapp_queue_lanes: Annotated[tuple[LaneSpec, ...], NoDecode, Field(min_length=1)] = ("default",)
    whatsapp_queue_lanes_file: Path | None = None
    whatsapp_queue_preset: Literal["none", "new-number", "settled"] = "none"
    whatsapp_queue_daily_cap: Cap = None
    whatsapp_queue_hourly_cap: Cap = None
    whatsapp_queue_cold_daily_cap: Cap = None
    whatsapp_queue_warm_up: Annotated[WarmUp | None, NoDecode, _written(WarmUp.parse)] = None
    whatsapp_queue_recipient_gap: Seconds | None = None
    whatsapp_queue_cold_failures: Annotated[int, Field(ge=0, le=100)] = 5
    whatsapp_queue_window: Annotated[tuple[Window, ...], NoDecode, _written(parse_windows)] = ()
    whatsapp_queue_timezone: Annotated[str, _written(parse_timezone)] = DEFAULT_TIMEZONE
    whatsapp_queue_type: Literal["classic", "quorum"] = "classic"
    whatsapp_queue_retention_days: Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False)] = 30
    whatsapp_queue_contacts_days: Annotated[float, Field(ge=1, le=3650, allow_inf_nan=False)] = 400
    whatsapp_queue_dedupe_hours: Annotated[float, Field(gt=0, le=24 * 365, allow_inf_nan=False)] = 24
    whatsapp_queue_on_uncertain: Literal["resend", "dead-letter"] = "resend"
    whatsapp_queue_receipt_wait: Seconds = 60
    whatsapp_queue_heartbeat: Annotated[int, Field(ge=1, le=600)] = 10

    admin_host: str = "127.0.0.1"
    admin_port: Port = 8080
    admin_trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode] = ()
    admin_tokens_file: Path | None = None
    receipts_host: str = "127.0.0.1"
    receipts_port: Port = 8090
    receipts_public_url: Annotated[str, AfterValidator(base_address)] | None = None
    receipts_trusted_proxies: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode] = ()
    receipts_confirm_seconds: Annotated[float, Field(gt=0, le=5, allow_inf_nan=False)] = 0.25
    receipts_metrics_host: str = "127.0.0.1"
    receipts_metrics_port: Port = 9102
    opt_out_language: Literal["id", "en"] = "id"
    callback_url: Annotated[str, AfterValidator(web_address)] | None = None
    callback_secret: SecretStr | None = None
    callback_sources: Annotated[dict[str, str], NoDecode, _written(_options)] = Field(default_factory=dict)
    consumer_metrics_host: str = "127.0.0.1"
    consumer_metrics_port: Port = 9101
    sandbox_port: Port = 8089
    antrian_log_format: Literal["auto", "json", "pretty"] = "auto"
    antrian_log_level: Literal["debug", "info", "warning", "error"] = "info"
    antrian_home: Path = Field(default_factory=lambda: (checkout() or Path.cwd()) / ".antrian")

    #: The lanes of the file, read once, at the start; None where there is no file.
    _lanes_of_file: Lanes | None = PrivateAttr(default=None)
    #: What the variables describe, once it was asked for: hundreds of lanes are asked for hundreds of times a second.
    _lanes_of_variables: Lanes | None = PrivateAttr(default=None)

    @field_validator(
        "whatsapp_queue_retry_delays",
        "whatsapp_queue_lanes",
        "admin_trusted_proxies",
        "receipts_trusted_proxies",
        mode="before",
    )
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("antrian_log_format", "antrian_log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @field_validator("amqp_url")
    @classmethod
    def _amqp_addresses(cls, value: SecretStr | None) -> SecretStr | None:
        for url in value.get_secret_value().split(",") if value else ():
            if not url.strip().startswith(("amqp://", "amqps://")):
                raise ValueError("every address must begin with amqp:// or amqps://")
            check_port(url.strip())
        return value

    @model_validator(mode="after")
    def _pause_fits_the_time_out(self) -> Self:
        longest_pause = self.whatsapp_queue_delay + self.jitter
        if longest_pause > self.whatsapp_queue_timeout_minutes * 60:
            raise ValueError(
                "WHATSAPP_QUEUE_DELAY + WHATSAPP_QUEUE_JITTER must not exceed WHATSAPP_QUEUE_TIMEOUT_MINUTES: "
                "a message is held un-acked for the whole pause",
            )
        return self

    @model_validator(mode="after")
    def _one_sender_one_lane(self) -> Self:
        specs = [spec.partition("=") for spec in self.whatsapp_queue_lanes]
        names, senders = {name for name, _, _ in specs}, {sender or self.whatsapp_sender for _, _, sender in specs}
        if len(names) != len(specs) or len(senders) != len(specs):
            raise ValueError(
                "WHATSAPP_QUEUE_LANES: every lane needs its own name and sender (name=6281…); only one may "
                "use WHATSAPP_SENDER, because two lanes of one sender would break its pace",
            )
        return self

    @property
    def lanes(self) -> Lanes:
        """All lanes: those of the file where there is one, else those that the variables describe."""
        if self._lanes_of_file is not None:
            return self._lanes_of_file
        if self._lanes_of_variables is None:
            self._lanes_of_variables = lanes_of_variables(self)
        return self._lanes_of_variables

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, some of whose variables may be others; its lanes are made of those."""
        copied = super().model_copy(update=update, deep=deep)
        copied._lanes_of_variables = None  # noqa: SLF001 (our own)
        return copied

    def with_lanes(self, lanes: Lanes | None) -> Self:
        """The same settings with the lanes of a file that was read since."""
        copied = self.model_copy()
        copied._lanes_of_file = lanes  # noqa: SLF001 (our own)
        return copied

    def with_lanes_read_again(self) -> Self:
        """The same settings with the lanes as the file has them now.

        Raises:
            SettingsError: the file is wrong; names every fault.
        """
        path = self.whatsapp_queue_lanes_file
        return self if path is None else self.with_lanes(read_lanes(path, self.lane_defaults))

    @property
    def lane_defaults(self) -> LaneDefaults:
        """What holds for a lane of the file that does not say it by itself."""
        return LaneDefaults(
            delay=self.whatsapp_queue_delay,
            jitter=self._given_jitter,
            max_attempts=self.whatsapp_queue_max_attempts,
            longest_pause=self.whatsapp_queue_timeout_minutes * 60,
        )

    @property
    def _given_jitter(self) -> float | None:
        return self.whatsapp_queue_jitter if "whatsapp_queue_jitter" in self.model_fields_set else None

    @property
    def jitter(self) -> float:
        """Seconds of jitter of each lane that the variables describe: as set, else as the preset says."""
        return _given(self._given_jitter, PRESET_JITTER[self.whatsapp_queue_preset])

    @property
    def limits(self) -> Limits:
        """The limits of each lane that the variables describe."""
        preset = PRESETS[self.whatsapp_queue_preset]
        return replace(
            preset,
            daily_cap=_given(self.whatsapp_queue_daily_cap, preset.daily_cap),
            hourly_cap=_given(self.whatsapp_queue_hourly_cap, preset.hourly_cap),
            cold_daily_cap=_given(self.whatsapp_queue_cold_daily_cap, preset.cold_daily_cap),
            # A cap that is set replaces the ramp of a preset; it would have no effect beside it.
            warm_up=self.whatsapp_queue_warm_up
            or (preset.warm_up if self.whatsapp_queue_cold_daily_cap is None else None),
            recipient_gap=_given(self.whatsapp_queue_recipient_gap, preset.recipient_gap),
            cold_failures=self.whatsapp_queue_cold_failures,
            windows=self.whatsapp_queue_window or preset.windows,
            timezone=self.whatsapp_queue_timezone,
        )

    @property
    def webhook_secrets(self) -> tuple[SecretStr, ...]:
        """What the providers of the lanes that the variables describe sign with; several while one is replaced."""
        given = self.whatsapp_webhook_secret.get_secret_value() if self.whatsapp_webhook_secret else ""
        return tuple(SecretStr(secret.strip()) for secret in given.split(",") if secret.strip())

    @property
    def amqp_urls(self) -> tuple[str, ...]:
        """The broker's addresses in the order given; empty when the private node is to be used."""
        if self.amqp_url is None:
            return ()
        return tuple(url.strip() for url in self.amqp_url.get_secret_value().split(",") if url.strip())

    @property
    def tokens_file(self) -> Path:
        """Where the hashed API tokens are kept."""
        return self.admin_tokens_file or self.antrian_home / "tokens.toml"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values arrive through `load_settings` alone, so that one place decides which source wins."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


def load_settings(environment: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read and check all settings.

    Args:
        environment: variables to read instead of the process's own environment and `.env` files.
        overrides: values by field name, stronger than the environment (command-line options).

    Raises:
        SettingsError: names every wrong variable, and never shows a value that is secret.
    """
    sources = [environment] if environment is not None else _process_environment()
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in Settings.model_fields:
        try:
            value = _lookup(field.upper(), sources, in_file=f"{field}_file" not in Settings.model_fields)
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{field.upper()}_FILE: cannot be read: {error}")
            continue
        if value and any("\ud800" <= character <= "\udfff" for character in value):
            problems.append(f"{field.upper()}: must be UTF-8")
        elif value:
            values[field] = value
    values |= overrides
    try:
        settings = Settings(**values)
    except ValidationError as error:
        problems += dict.fromkeys(_explain(details, values) for details in error.errors(include_url=False))
    if not problems:
        return settings.with_lanes_read_again()
    wrong = "wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems)
    if path := values.get("whatsapp_queue_lanes_file"):
        try:
            read_lanes(Path(path), LaneDefaults())
        except SettingsError as error:
            wrong += f"\n{error}"
    raise SettingsError(wrong)


def _process_environment() -> list[Mapping[str, str | None]]:
    """The sources, strongest first; the working folder's .env is nearer to the user than the checkout's."""
    folders = dict.fromkeys(folder / ".env" for folder in (Path.cwd(), checkout()) if folder is not None)
    return [os.environ, *(_dotenv(path) for path in folders)]


def _dotenv(path: Path) -> Mapping[str, str | None]:
    try:
        # Without interpolation: a password may hold a dollar sign.
        return dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error


def _lookup(name: str, sources: Sequence[Mapping[str, str | None]], *, in_file: bool) -> str | None:
    """The value from the strongest source that has `NAME`, or `NAME_FILE` where that is no variable of its own."""
    for source in sources:
        if value := source.get(name):
            return value
        if in_file and (path := source.get(f"{name}_FILE")):
            return Path(path).read_text(encoding="utf-8").strip()
    return None


def _explain(details: Any, values: Mapping[str, Any]) -> str:
    message = str(details["msg"]).removeprefix("Value error, ")
    if not details["loc"]:
        return message
    field = str(details["loc"][0])
    annotation = str(Settings.model_fields[field].annotation)
    is_secret = "SecretStr" in annotation or field in _MAY_HOLD_A_TOKEN
    given = "" if is_secret or field not in values else f" (given: {values[field]!r})"
    return f"{field.upper()}: {message[0].lower()}{message[1:]}{given}"
