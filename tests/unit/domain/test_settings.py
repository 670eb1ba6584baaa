import subprocess
import sys
from pathlib import Path

import pytest

from antrian.domain import settings as settings_module
from antrian.domain.errors import SettingsError
from antrian.domain.settings import Settings, load_settings


def problems(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environment)
    return str(caught.value)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """A checkout and a working folder of the test's own, and an environment without our variables."""
    checkout, working_folder = tmp_path / "checkout", tmp_path / "here"
    checkout.mkdir()
    working_folder.mkdir()
    monkeypatch.setattr(settings_module, "checkout", lambda: checkout)
    monkeypatch.chdir(working_folder)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)
    return checkout, working_folder


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = load_settings({})

    assert settings.amqp_urls == ()
    assert settings.whatsapp_provider == "mpwa"
    assert settings.whatsapp_queue_delay == 10
    assert settings.whatsapp_queue_jitter == 0
    assert settings.whatsapp_queue_max_attempts == 3
    assert settings.whatsapp_queue_retry_delays == (30, 120)
    assert settings.whatsapp_queue_timeout_minutes == 30
    assert settings.whatsapp_queue_namespace == "wa"
    assert settings.whatsapp_queue_type == "classic"
    assert settings.whatsapp_queue_retention_days == 30
    assert settings.whatsapp_queue_dedupe_hours == 24
    assert settings.whatsapp_queue_on_uncertain == "resend"
    assert (settings.admin_host, settings.admin_port) == ("127.0.0.1", 8080)
    assert settings.consumer_metrics_port == 9101
    assert settings.tokens_file == settings.antrian_home / "tokens.toml"


@pytest.mark.parametrize(
    ("variable", "value", "field", "expected"),
    [
        ("WHATSAPP_QUEUE_DELAY", "0.25", "whatsapp_queue_delay", 0.25),
        ("WHATSAPP_QUEUE_DELAY", " 5 ", "whatsapp_queue_delay", 5),
        ("WHATSAPP_QUEUE_DELAY", "", "whatsapp_queue_delay", 10),
        ("WHATSAPP_QUEUE_RETRY_DELAYS", "1, 2.5 ,30", "whatsapp_queue_retry_delays", (1, 2.5, 30)),
        ("WHATSAPP_API_URL", "https://api.example/", "whatsapp_api_url", "https://api.example"),
        ("AMQP_URL", "amqp://a, amqps://b", "amqp_urls", ("amqp://a", "amqps://b")),
        ("CONSUMER_METRICS_PORT", "0", "consumer_metrics_port", 0),
        ("ADMIN_TOKENS_FILE", "/run/tokens.toml", "tokens_file", Path("/run/tokens.toml")),
    ],
)
def test_a_variable_sets_its_field(variable: str, value: str, field: str, expected: object) -> None:
    assert getattr(load_settings({variable: value}), field) == expected


WRONG = {
    "AMQP_URL": "http://user:geheim@broker",
    "WHATSAPP_SENDER": "+62 812",
    "WHATSAPP_API_URL": "api.example",
    "WHATSAPP_PROVIDER": "no/such",
    "WHATSAPP_QUEUE_DELAY": "-1",
    "WHATSAPP_QUEUE_JITTER": "nan",
    "WHATSAPP_QUEUE_MAX_ATTEMPTS": "0",
    "WHATSAPP_QUEUE_RETRY_DELAYS": "30,soon",
    "WHATSAPP_QUEUE_TIMEOUT_MINUTES": "0",
    "WHATSAPP_QUEUE_NAMESPACE": "wa.x",
    "WHATSAPP_QUEUE_LANES": "a b",
    "WHATSAPP_QUEUE_TYPE": "stream",
    "WHATSAPP_QUEUE_RETENTION_DAYS": "0",
    "WHATSAPP_QUEUE_DEDUPE_HOURS": "-1",
    "WHATSAPP_QUEUE_ON_UNCERTAIN": "hope",
    "WHATSAPP_QUEUE_HEARTBEAT": "0.5",
    "ADMIN_PORT": "65536",
    "CONSUMER_METRICS_PORT": "x",
    "SANDBOX_PORT": "-1",
    "RECEIPTS_PUBLIC_URL": "https://host/?hook=1",
    "WHATSAPP_WEBHOOK_SECRET": "no\udcffutf-8",
    "CALLBACK_URL": "ftp://host/?token=geheim",
    "CALLBACK_SOURCES": "https://host/?token",
}


def test_one_message_names_every_wrong_variable() -> None:
    text = problems(WRONG)

    assert [name for name in WRONG if f"\n  {name}: " not in text] == []


@pytest.mark.parametrize("variable", WRONG)
def test_a_wrong_variable_is_named_alone(variable: str) -> None:
    lines = problems({variable: WRONG[variable]}).splitlines()

    assert {line.split(":")[0].strip() for line in lines[1:]} == {variable}


@pytest.mark.parametrize(
    "environment",
    [
        {"WHATSAPP_QUEUE_DELAY": "1801"},
        {"WHATSAPP_QUEUE_DELAY": "100", "WHATSAPP_QUEUE_JITTER": "100", "WHATSAPP_QUEUE_TIMEOUT_MINUTES": "3"},
        {"WHATSAPP_QUEUE_LANES": "a,a"},
        {"WHATSAPP_QUEUE_LANES": "a=628123456,b=628123456"},
        {"WHATSAPP_QUEUE_LANES": "a,b", "WHATSAPP_SENDER": "628123456"},
    ],
)
def test_variables_that_do_not_go_together_are_refused(environment: dict[str, str]) -> None:
    assert all(variable in problems(environment) for variable in list(environment)[:1])


def test_each_lane_has_a_sender() -> None:
    settings = load_settings({"WHATSAPP_SENDER": "6281111111", "WHATSAPP_QUEUE_LANES": "default, promo=6282222222"})

    assert {lane.name: lane.sender for lane in settings.lanes.values()} == {
        "default": "6281111111",
        "promo": "6282222222",
    }


def test_a_value_given_in_code_wins_over_the_environment() -> None:
    settings = load_settings({"WHATSAPP_QUEUE_DELAY": "3"}, whatsapp_queue_delay=0)

    assert settings.whatsapp_queue_delay == 0


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings({}).whatsapp_queue_delay = 0  # type: ignore[misc]


# Secrets.

SECRETS = {"AMQP_URL": "amqp://user:geheim@broker", "WHATSAPP_API_KEY": "geheim-key"}


def test_settings_never_show_a_secret() -> None:
    settings = load_settings(SECRETS)

    assert "geheim" not in repr(settings) + str(settings) + settings.model_dump_json()


@pytest.mark.parametrize("wrong", [{"AMQP_URL": "http://user:geheim@broker"}, {"ADMIN_PORT": "x"}])
def test_an_error_never_shows_a_secret(wrong: dict[str, str]) -> None:
    assert "geheim" not in problems(SECRETS | wrong)


def test_nor_does_a_traceback() -> None:
    code = (
        "from antrian.domain.settings import load_settings; load_settings({'AMQP_URL': 'http://user:' + 'ge' + 'heim'})"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert "AMQP_URL" in run.stderr
    assert "geheim" not in run.stderr


def test_trusted_proxies_are_addresses_and_networks() -> None:
    settings = load_settings({"ADMIN_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,::1"})
    assert settings.admin_trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")
    for nonsense in ("*", "proxy.example", "10.0.0.1/8", "127.0.0.1,x"):
        assert "ADMIN_TRUSTED_PROXIES" in problems({"ADMIN_TRUSTED_PROXIES": nonsense})


# Files.


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")

    settings = load_settings({"WHATSAPP_API_KEY_FILE": str(tmp_path / "key")})

    assert settings.whatsapp_api_key is not None
    assert settings.whatsapp_api_key.get_secret_value() == "from-file"


def test_a_variable_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "delay").write_text("7", encoding="utf-8")

    settings = load_settings({"WHATSAPP_QUEUE_DELAY": "3", "WHATSAPP_QUEUE_DELAY_FILE": str(tmp_path / "delay")})

    assert settings.whatsapp_queue_delay == 3


def test_a_file_that_cannot_be_read_is_named_with_the_other_problems(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")

    text = problems(
        {
            "AMQP_URL_FILE": str(tmp_path / "missing"),
            "WHATSAPP_API_KEY_FILE": str(tmp_path / "latin"),
            "ADMIN_PORT": "x",
        }
    )

    assert all(name in text for name in ("AMQP_URL_FILE", "WHATSAPP_API_KEY_FILE", "ADMIN_PORT"))


@pytest.mark.parametrize(
    ("in_checkout", "here", "in_environment", "delay"),
    [
        ("1", None, None, 1),
        (None, "2", None, 2),
        ("1", "2", None, 2),
        ("1", None, "3", 3),
        ("1", "2", "3", 3),
    ],
)
def test_the_environment_wins_over_env_files_and_the_nearer_file_over_the_other(
    folders: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    in_checkout: str | None,
    here: str | None,
    in_environment: str | None,
    delay: float,
) -> None:
    for folder, value in zip(folders, (in_checkout, here), strict=True):
        if value:
            (folder / ".env").write_text(f"WHATSAPP_QUEUE_DELAY={value}\n", encoding="utf-8")
    if in_environment:
        monkeypatch.setenv("WHATSAPP_QUEUE_DELAY", in_environment)

    assert load_settings().whatsapp_queue_delay == delay


def test_without_a_checkout_the_working_folder_counts(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "checkout", lambda: None)
    (folders[1] / ".env").write_text("WHATSAPP_QUEUE_DELAY=2\n", encoding="utf-8")

    assert load_settings().whatsapp_queue_delay == 2


@pytest.mark.parametrize("line", ["WHATSAPP_QUEUE_DELAY", "WHATSAPP_QUEUE_DELAY=", "# WHATSAPP_QUEUE_DELAY=2"])
def test_an_env_file_without_a_value_changes_nothing(folders: tuple[Path, Path], line: str) -> None:
    (folders[1] / ".env").write_text(line, encoding="utf-8")

    assert load_settings().whatsapp_queue_delay == 10


# The pause.


def test_the_pause_is_the_delay_and_never_less() -> None:
    settings = load_settings({"WHATSAPP_QUEUE_DELAY": "2", "WHATSAPP_QUEUE_JITTER": "0.5"})

    pauses = [settings.lanes.first.pause() for _ in range(200)]

    assert min(pauses) >= 2
    assert max(pauses) <= 2.5
    assert len(set(pauses)) > 1


def test_without_jitter_the_pause_is_exactly_the_delay() -> None:
    assert load_settings({"WHATSAPP_QUEUE_DELAY": "2"}).lanes.first.pause() == 2


def test_a_password_that_is_not_percent_encoded_is_refused_without_quoting_it() -> None:
    with pytest.raises(SettingsError) as problem:
        load_settings({"AMQP_URL": "amqp://user:geheim#x@host/"})
    assert "geheim" not in str(problem.value)
    assert "percent-encoded" in str(problem.value)


@pytest.mark.parametrize("url", ["https://", "ftp://host", "host", "https://user:geheim@host", "https://host:port"])
def test_an_api_address_without_a_host_or_with_credentials_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(SettingsError, match="WHATSAPP_API_URL") as problem:
        load_settings({"WHATSAPP_API_URL": url})
    assert "geheim" not in str(problem.value)


def test_the_environment_wins_over_dotenv_in_either_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("WHATSAPP_API_KEY=from-dotenv\n")
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WHATSAPP_API_KEY_FILE", str(tmp_path / "key"))

    key = load_settings().whatsapp_api_key
    assert key is not None
    assert key.get_secret_value() == "from-file"


def test_a_dollar_sign_in_dotenv_is_a_dollar_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("WHATSAPP_API_KEY=a${HOME}b\n")
    monkeypatch.chdir(tmp_path)

    key = load_settings().whatsapp_api_key
    assert key is not None
    assert key.get_secret_value() == "a${HOME}b"


def test_a_dotenv_that_is_no_text_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes(b"\xff\xfe")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        load_settings()


def test_lanes_are_made_once_and_anew_for_a_copy_with_other_variables():
    settings = load_settings({"WHATSAPP_QUEUE_LANES": "a=628111111111,b=628222222222"})
    assert settings.lanes is settings.lanes
    copied = settings.model_copy(update={"whatsapp_queue_lanes": ("c",), "whatsapp_queue_delay": 3.0})
    assert {name: lane.delay for name, lane in copied.lanes.items()} == {"c": 3.0}
