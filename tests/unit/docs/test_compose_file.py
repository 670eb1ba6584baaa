import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
PORTS = {
    "admin_api": 8080,
    "rabbitmq": 15672,
    "prometheus": 9090,
    "alertmanager": 9093,
    "grafana": 3000,
    "sandbox": 8089,
    "receipts": 8090,
}


def test_every_variable_is_in_the_example_with_its_default():
    example = dict(re.findall(r"^#(\w+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    plain = dict(re.findall(r"\$\{(\w+):-([^${}]*)\}", COMPOSE))
    assert {name: example.get(name) for name in plain} == plain


@pytest.mark.parametrize(("service", "port"), PORTS.items())
def test_a_port_is_published_to_this_machine_only(service, port):
    [published] = SERVICES[service]["ports"]
    assert re.fullmatch(rf"127\.0\.0\.1:\$\{{\w+:-{port}\}}:{port}", published)


def test_nothing_else_is_published():
    assert {name for name, service in SERVICES.items() if service.get("ports")} == PORTS.keys()


def test_the_sandbox_is_there_in_the_demo_alone_and_receipts_where_they_are_wanted():
    assert {name: service.get("profiles") for name, service in SERVICES.items() if "profiles" in service} == {
        "sandbox": ["demo"],
        "receipts": ["demo", "receipts"],
    }


def test_there_is_an_active_consumer_and_a_standby():
    assert SERVICES["consumer"]["deploy"] == {"replicas": 2}


@pytest.mark.parametrize("file", ["Dockerfile", "docker-compose.yml", ".env.example", "tests/containers/prepare.sh"])
def test_no_file_names_a_package_index(file):
    assert not re.findall(r"(?:index-url|INDEX_URL)[ =]+https?://", (ROOT / file).read_text(encoding="utf-8"))
