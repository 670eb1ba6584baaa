"""The units are what systemd takes, locked in, and give every process the time that it asks for."""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from programs import run

from admin_api import process as admin_process
from antrian.domain.settings import Settings, load_settings
from antrian.receipts import process as receipts_process
from consumer.lane.link import STOP_GRACE

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
UNITS = ["antrian-consumer@.service", "antrian-admin.service", "antrian-receipts.service"]

#: What `systemd-analyze security` calls exposure: 0 is locked in, 10 is open. Below 2.5 it says "OK".
MOST_EXPOSURE = 1.5

INSTALLED = "/opt/antrian/bin/antrian"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as if this checkout were installed: systemd looks whether the program is there."""
    for name in UNITS:
        text = (FOLDER / name).read_text()
        assert INSTALLED in text
        (tmp_path / name).write_text(text.replace(INSTALLED, str(Path(sys.executable).with_name("antrian"))))
    return tmp_path


def service(name: str) -> dict[str, list[str]]:
    """The settings of a unit; one may be given several times."""
    values: dict[str, list[str]] = defaultdict(list)
    for key, value in re.findall(r"^([A-Za-z]+)=(.*)$", (FOLDER / name).read_text(), flags=re.MULTILINE):
        values[key].append(value)
    return values


@pytest.mark.parametrize("name", UNITS)
def test_systemd_has_nothing_to_say_about_the_unit(installed: Path, name: str) -> None:
    assert run("systemd-analyze", "verify", "--man=no", installed / name) == ""


@pytest.mark.parametrize("name", UNITS)
def test_the_service_is_locked_in(installed: Path, name: str) -> None:
    said = run(
        "systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSURE * 10:.0f}", installed / name
    )
    exposure = re.search(r"Overall exposure level for .*: ([0-9.]+)", said)
    assert exposure, said
    assert float(exposure[1]) <= MOST_EXPOSURE


def test_a_consumer_may_finish_and_record_its_send() -> None:
    [seconds] = service("antrian-consumer@.service")["TimeoutStopSec"]
    assert float(seconds.removesuffix("s")) >= STOP_GRACE + 10


def test_the_admin_side_may_answer_what_was_asked() -> None:
    [seconds] = service("antrian-admin.service")["TimeoutStopSec"]
    assert float(seconds.removesuffix("s")) >= admin_process._GRACE + 10


def test_the_receipts_server_may_finish_what_it_took() -> None:
    [seconds] = service("antrian-receipts.service")["TimeoutStopSec"]
    assert float(seconds.removesuffix("s")) >= receipts_process._GRACE + 10


@pytest.mark.parametrize("name", UNITS)
def test_every_end_but_wrong_settings_is_followed_by_a_start(name: str) -> None:
    unit = service(name)
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == (["always"], ["2"])


@pytest.mark.parametrize("name", UNITS)
def test_every_secret_comes_as_a_credential_and_by_the_name_of_a_setting(name: str) -> None:
    unit = service(name)
    credentials = {one.partition(":")[0] for one in unit["LoadCredential"]}
    variables = dict(word.split("=", 1) for line in unit["Environment"] for word in line.split())
    files = {key: value for key, value in variables.items() if key.endswith("_FILE")}
    assert {value.removeprefix("%d/") for value in files.values()} == credentials
    assert {key.removesuffix("_FILE").lower() for key in files} <= set(Settings.model_fields)
    assert not {"AMQP_URL", "WHATSAPP_API_KEY", "WHATSAPP_WEBHOOK_SECRET"} & variables.keys()


def test_the_example_is_a_set_of_settings_without_a_secret(tmp_path: Path) -> None:
    lines = (FOLDER / "antrian.env.example").read_text().splitlines()
    settings = [line.removeprefix("#") for line in lines if re.match(r"#?[A-Z_]+=", line)]
    variables = dict(line.split("=", 1) for line in settings)
    assert not {"AMQP_URL", "WHATSAPP_API_KEY"} & variables.keys()
    assert {name.lower() for name in variables} <= set(Settings.model_fields)
    assert load_settings(variables | {"ANTRIAN_HOME": str(tmp_path)}).whatsapp_provider == "mpwa"
