"""`antrian doctor` on real brokers, well and broken."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from broker_with_users import GuardedBroker, guarded_node
from followed import catch_up
from node_tools import rabbitmqctl
from pydantic import SecretStr
from queue_fixture import Stock
from typer.testing import CliRunner

from admin_api.auth.roles import Role
from admin_api.auth.tokens import TokenFile
from antrian.broker.connection import open_channel
from antrian.broker.lane_state import write_state
from antrian.broker.node.ports import free_port
from antrian.broker.node.private_node import PrivateNode
from antrian.broker.topology import Names
from antrian.cli.index import app
from antrian.doctor import history
from antrian.domain.settings import Settings, load_settings
from antrian.history.follower import HistoryFollower
from antrian.history.queries.history import history_path
from antrian.sandbox.server import SandboxServer
from waiting import wait_until

Doctor = Callable[..., dict[str, Any]]


@pytest.fixture
def provider() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def doctor(provider: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """Run `antrian doctor --json`, as somebody with these settings; the answer."""

    def run(settings: Settings, *arguments: str, **variables: str) -> dict[str, Any]:
        given = {
            "AMQP_URL": ",".join(settings.amqp_urls),
            "ANTRIAN_HOME": str(settings.antrian_home),
            "WHATSAPP_QUEUE_NAMESPACE": settings.whatsapp_queue_namespace,
            "WHATSAPP_QUEUE_TYPE": settings.whatsapp_queue_type,
            "WHATSAPP_PROVIDER": "sandbox",
            "WHATSAPP_API_URL": provider.url,
        }
        for name, value in (given | variables).items():
            monkeypatch.setenv(name, value)
        result = CliRunner().invoke(app, ["doctor", "--json", *arguments])
        assert result.stdout, result.exception
        answer = dict(json.loads(result.stdout))
        assert result.exit_code == (0 if answer["ok"] else 1)
        assert answer["problems"] == len(told(answer, "problem"))
        return answer

    return run


def told(answer: dict[str, Any], state: str, subject: str = "") -> list[str]:
    """What was found in that state, and what to do."""
    return [
        f"{one['found']} {one['todo']}".strip()
        for one in answer["findings"]
        if one["state"] == state and subject in {"", one["subject"]}
    ]


def test_on_a_complete_broker_only_the_consumer_is_missing(doctor: Doctor, stock: Stock) -> None:
    def with_the_clock() -> dict[str, Any] | None:
        found = doctor(stock.settings)
        return found if told(found, "ok", "clock") == ["This machine's clock agrees with the provider's."] else None

    # Whoever is held up while it reads the other clock, finds its own to be ahead.
    answer = wait_until(with_the_clock, 20, "the clocks agree")
    [only] = told(answer, "problem")
    assert "No consumer serves lane default" in only
    assert "This user may do what these need: publisher, consumer, admin, receipts." in told(answer, "ok")
    assert told(answer, "ok", "alarm")
    assert told(answer, "ok", "provider")


def test_it_changes_nothing(doctor: Doctor, stock: Stock) -> None:
    stock.add_waiting("m1", "m2")
    stock.add_dead("d1")
    queues = (stock.names.lane("default"), stock.names.dead, stock.names.state("default"), stock.names.delay(0))
    before = [stock.count(queue) for queue in queues]
    doctor(stock.settings)
    assert [stock.count(queue) for queue in queues] == before == [2, 1, 0, 0]
    assert len(stock.entries(stock.names.journal)) == 3
    assert not history_path(stock.settings).exists()


def test_each_role_is_asked_only_what_it_is_for(doctor: Doctor, stock: Stock) -> None:
    subjects = {
        role: {one["subject"] for one in doctor(stock.settings, "--role", role)["findings"]}
        for role in ("publisher", "consumer", "admin")
    }
    everywhere = {"settings", "disk", "broker", "alarm", "topology", "permissions", "clock"}
    assert subjects["publisher"] == everywhere
    assert subjects["consumer"] == everywhere | {"provider"}
    assert subjects["admin"] == everywhere | {"files", "tokens", "lane", "history", "retention"}


def test_a_broker_that_does_not_answer_is_a_problem_and_the_rest_is_seen(doctor: Doctor, settings: Settings) -> None:
    port = free_port()
    gone = settings.model_copy(update={"amqp_url": SecretStr(f"amqp://u:s3cret@127.0.0.1:{port}/")})
    answer = doctor(gone)
    assert "connection refused" in told(answer, "problem", "broker")[0]
    assert "s3cret" not in json.dumps(answer)
    assert told(answer, "ok", "provider")


def test_without_any_broker_the_way_to_one_is_said(doctor: Doctor, settings: Settings) -> None:
    nowhere = settings.model_copy(update={"amqp_url": None})
    assert "antrian broker start" in told(doctor(nowhere, AMQP_URL=""), "problem", "broker")[0]


def test_one_silent_address_of_several_is_a_warning(doctor: Doctor, stock: Stock) -> None:
    port = free_port()
    both = ",".join((*stock.settings.amqp_urls, f"amqp://u:p@127.0.0.1:{port}/"))
    answer = doctor(stock.settings, AMQP_URL=both)
    assert f"127.0.0.1:{port}" in next(one for one in told(answer, "warning", "broker") if "does not answer" in one)


def test_an_empty_broker_lacks_the_topology(doctor: Doctor, settings: Settings) -> None:
    [lacks] = told(doctor(settings), "problem", "topology")
    assert "antrian topology apply" in lacks


def test_a_changed_argument_is_named_with_its_migration(doctor: Doctor, stock: Stock) -> None:
    lane = stock.names.lane("default")
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_delete(lane)
        channel.queue_declare(lane, durable=True)
    [changed] = told(doctor(stock.settings), "problem", "topology")
    assert lane in changed
    assert "--replace" in changed


def test_wrong_settings_are_a_finding_too(doctor: Doctor, settings: Settings) -> None:
    answer = doctor(settings, WHATSAPP_QUEUE_DELAY="soon")
    assert "WHATSAPP_QUEUE_DELAY" in told(answer, "problem", "settings")[0]
    assert len(answer["findings"]) == 1


def test_a_provider_that_is_not_there_is_a_problem(doctor: Doctor, stock: Stock) -> None:
    port = free_port()
    [gone] = told(doctor(stock.settings, WHATSAPP_API_URL=f"http://127.0.0.1:{port}"), "problem", "provider")
    assert "nothing is listening" in gone


def test_nothing_is_sent(doctor: Doctor, stock: Stock, provider: SandboxServer) -> None:
    doctor(stock.settings, WHATSAPP_PROVIDER="mpwa", WHATSAPP_API_KEY="k", WHATSAPP_SENDER="6281100000000")
    assert provider.record.arrivals() == []


def test_a_paused_lane_is_told_with_who_did_it(doctor: Doctor, stock: Stock) -> None:
    write_state(stock.settings.amqp_urls, stock.names, "default", paused=True, actor="cli:ani")
    assert "paused by cli:ani" in told(doctor(stock.settings), "warning", "lane")[0]


def test_a_history_that_disagrees_with_the_broker_is_told(doctor: Doctor, stock: Stock) -> None:
    stock.add_waiting("m1", "m2", "m3")
    read_up(stock.settings)
    assert "agree: 3 messages wait" in " ".join(told(doctor(stock.settings), "ok", "history"))
    with open_channel(stock.settings.amqp_urls, name="test") as channel:
        channel.queue_purge(stock.names.lane("default"))
    assert "The broker counts 0 waiting" in told(doctor(stock.settings), "warning", "history")[0]


def read_up(settings: Settings) -> None:
    """Bring the test's history up to date."""
    follower = HistoryFollower(settings, history_path(settings), urls=settings.amqp_urls)
    follower.start()
    try:
        catch_up(follower)
    finally:
        follower.stop(60)


def test_the_age_of_the_journal_is_told(doctor: Doctor, stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    # Something is there: a silence only means that the broker is busy.
    monkeypatch.setattr(history, "_PATIENCE", 60.0)
    stock.add_waiting("m1")
    assert "The journal reaches back" in " ".join(told(doctor(stock.settings), "ok", "retention"))


def test_a_tokens_file_that_anybody_may_change_is_a_problem(doctor: Doctor, stock: Stock) -> None:
    tokens = TokenFile(stock.settings.tokens_file)
    tokens.create(Role.ADMIN, None, time.time())
    assert told(doctor(stock.settings), "ok", "files") == ["1 private files belong to their owner alone."]
    stock.settings.tokens_file.chmod(0o666)
    answer = doctor(stock.settings)
    assert "chmod 600" in told(answer, "problem", "files")[0]
    assert told(answer, "problem", "tokens")


def test_for_people_there_is_a_table_and_one_line_of_summary(doctor: Doctor, stock: Stock) -> None:
    doctor(stock.settings)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "→" in result.stdout
    assert "1 problem, " in result.stdout.splitlines()[-1]


# A node of its own, because it is broken on purpose.


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateNode]:
    node = PrivateNode(tmp_path_factory.mktemp("node"))
    try:
        node.start(tied_to_parent=True)
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="module")
def guarded(node: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> GuardedBroker:
    return guarded_node(node, load_settings({}), tmp_path_factory.mktemp("definitions"))


@pytest.fixture
def base(tmp_path: Path) -> Settings:
    return load_settings({"ANTRIAN_HOME": str(tmp_path / "home")})


#: Roles that a user cannot fill; an admin publishes, too.
OTHERS = {"publisher": ("consumer", "admin"), "consumer": ("publisher", "admin"), "admin": ("consumer",)}


@pytest.mark.parametrize("role", list(OTHERS))
def test_a_user_with_few_rights_can_do_its_own_work_and_no_other(
    doctor: Doctor, guarded: GuardedBroker, base: Settings, role: str
) -> None:
    settings = guarded.settings(role, base)
    answer = doctor(settings, "--role", role)
    assert role in told(answer, "ok", "permissions")[0]
    assert not told(answer, "problem", "topology")
    for other in OTHERS[role]:
        [refused] = told(doctor(settings, "--role", other), "problem", "permissions")
        assert f"what a {other} needs" in refused


def test_a_wrong_password_is_told(doctor: Doctor, guarded: GuardedBroker, base: Settings) -> None:
    settings = guarded.settings("consumer", base)
    wrong = settings.amqp_urls[0].replace("consumer:", "consumer:x")
    assert "refuses this user" in told(doctor(settings, AMQP_URL=wrong), "problem", "broker")[0]


def test_a_memory_alarm_is_told_and_nothing_waits_for_its_end(
    doctor: Doctor, node: PrivateNode, guarded: GuardedBroker, base: Settings
) -> None:
    settings = guarded.settings("admin", base)
    assert told(doctor(settings), "ok", "alarm")
    rabbitmqctl(node, "set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        answer = doctor(settings)
    finally:
        rabbitmqctl(node, "set_vm_memory_high_watermark", "0.4")
    assert "low on memory" in told(answer, "problem", "alarm")[0]
    assert told(answer, "ok", "permissions")


def test_the_management_api_tells_of_every_node(doctor: Doctor, node: PrivateNode, guarded: GuardedBroker) -> None:
    port = free_port()
    listener = f'[{{port, {port}}}, {{ip, "127.0.0.1"}}]'
    rabbitmqctl(node, "eval", f"application:set_env(rabbitmq_management, tcp_config, {listener}).")
    enable(node, "rabbitmq_management")
    root = load_settings({"AMQP_URL": guarded.root_url})
    address = f"http://127.0.0.1:{port}"
    answer = doctor(root, "--management", address)
    assert told(answer, "ok", "management") == ["1 node runs without an alarm, and no deprecated feature is used."]
    assert "the broker's" in told(answer, "ok", "clock")[0]
    plain = guarded.settings("consumer", root)
    assert "HTTP 401" in told(doctor(plain, "--management", address), "warning", "management")[0]


def enable(node: PrivateNode, plugin: str) -> None:
    """Enable a plugin of the running node."""
    environment = psutil.Process(node.status().pid).environ()
    program = Path(environment.get("RABBITMQ_HOME", "/usr/lib/rabbitmq")) / "bin" / "rabbitmq-plugins"
    command = [program, "--quiet", "-n", environment["RABBITMQ_NODENAME"], "enable", plugin]
    subprocess.run(command, env=environment, check=True, timeout=180, stdout=subprocess.DEVNULL)


def test_names_are_those_of_the_namespace(doctor: Doctor, settings: Settings) -> None:
    assert Names(settings.whatsapp_queue_namespace).dead in told(doctor(settings), "problem", "topology")[0]
