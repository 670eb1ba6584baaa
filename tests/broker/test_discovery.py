"""Where a broker comes from. Scripts stand in for apt-get and docker; brokers are real, in the other files."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from antrian.broker import discovery
from antrian.broker.discovery import find_broker
from antrian.broker.node import debian_package
from antrian.broker.node.container import engine_answers
from antrian.broker.node.debian_package import install_rabbitmq
from antrian.broker.node.program import rabbitmq_server
from antrian.domain.errors import NoBroker
from antrian.domain.settings import load_settings
from waiting import wait_until

#: A service's start is asked for while the package is installed, as a maintainer script would. It takes as long as
#: the file TEST_HANG exists.
APT_GET = """#!/bin/sh
trap 'echo interrupted >> "$TEST_LOG"; exit 100' INT
echo "$@" >> "$TEST_LOG"
while [ -e "$TEST_HANG" ]; do sleep 0.05; done
"$TEST_POLICY" rabbitmq-server start
echo "policy $?" >> "$TEST_LOG"
case "$*" in *install*) [ -z "$TEST_FAILURE" ] || { echo "E: $TEST_FAILURE" >&2; exit 100; };; esac
"""

DOCKER_WITHOUT_IMAGES = """#!/bin/sh
[ "$1" = run ] || exit 0
echo "Unable to find image locally" >&2
echo "docker: Error response from daemon: no route to host." >&2
echo "" >&2
echo "Run 'docker run --help' for more information" >&2
exit 125
"""

INSTALLER = """
import sys
from pathlib import Path
from antrian.broker.node.debian_package import install_rabbitmq
install_rabbitmq(print, policy=Path(sys.argv[1]), lists=Path(sys.argv[2]))
"""


class Machine:
    """A Debian of the test's own: its policy-rc.d, its package lists and what its apt-get was asked."""

    def __init__(self, folder: Path) -> None:
        self.policy = folder / "sbin" / "policy-rc.d"
        self.lists = folder / "lists"
        self.log = folder / "apt.log"
        self.hang = folder / "hang"
        self.said: list[str] = []
        for made in (self.policy.parent, self.lists, folder / "bin"):
            made.mkdir()
        self.log.touch()
        executable(folder / "bin" / "apt-get", APT_GET)
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "TEST_LOG": str(self.log),
            "TEST_POLICY": str(self.policy),
            "TEST_HANG": str(self.hang),
        }

    def install(self) -> None:
        install_rabbitmq(self.said.append, policy=self.policy, lists=self.lists)

    def asked(self) -> list[str]:
        return [line.rpartition("=120 ")[2] for line in self.log.read_text().splitlines()]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, value)
    return machine


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


INSTALL = "install --yes --no-install-recommends rabbitmq-server"


def test_package_is_installed_while_no_service_may_start(machine: Machine) -> None:
    (machine.lists / "mirror_Packages.lz4").touch()
    machine.install()
    assert machine.asked() == [INSTALL, "policy 101"]
    assert not machine.policy.exists()
    assert machine.said == [
        "installing RabbitMQ from the distribution (apt-get install rabbitmq-server), without starting its service …",
    ]


def test_missing_lists_are_fetched_first(machine: Machine) -> None:
    machine.install()
    assert machine.asked() == ["update", "policy 101", INSTALL, "policy 101"]


def test_a_failure_is_tried_once_more_with_new_lists_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.lists / "mirror_Packages.lz4").touch()
    monkeypatch.setenv("TEST_FAILURE", "Unable to locate package rabbitmq-server")
    with pytest.raises(NoBroker, match=r"^apt-get could not install rabbitmq-server: Unable to locate package \S+$"):
        machine.install()
    assert machine.asked() == [INSTALL, "policy 101", "update", "policy 101", INSTALL, "policy 101"]
    assert not machine.policy.exists()


@pytest.mark.parametrize("code", [0, 101])
def test_policy_of_somebody_else_is_as_before_afterwards(machine: Machine, code: int) -> None:
    text = f"#!/bin/sh\n# theirs\nexit {code}\n"
    executable(machine.policy, text)
    inode = machine.policy.stat().st_ino
    machine.install()
    assert "policy 0" not in machine.asked()
    assert (machine.policy.read_text(), machine.policy.stat().st_ino) == (text, inode)
    assert list(machine.policy.parent.iterdir()) == [machine.policy]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_policy_is_gone_after_an_interruption(machine: Machine, number: signal.Signals) -> None:
    machine.hang.touch()
    with installer(machine) as process:
        wait_until(machine.asked, 10, "the installation had begun")
        assert machine.policy.exists()
        process.send_signal(number)
        assert process.wait(60) != 0
    wait_until(lambda: machine.asked()[-1] == "interrupted", 5, "the package manager was interrupted too")
    assert not machine.policy.exists()


def test_what_a_killed_installation_left_is_cleared_away(machine: Machine) -> None:
    text = "#!/bin/sh\nexit 0\n"
    executable(machine.policy, text)
    machine.hang.touch()
    with installer(machine) as process:
        wait_until(machine.asked, 10, "the installation had begun")
        process.kill()
    machine.hang.unlink()
    assert machine.policy.read_text() != text
    machine.install()
    assert machine.policy.read_text() == text


def installer(machine: Machine) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", INSTALLER, machine.policy, machine.lists],
        env=os.environ | machine.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def test_newest_server_is_chosen(tmp_path: Path) -> None:
    for version in ("3.9.11", "3.10.8"):
        executable(tmp_path / f"rabbitmq_server-{version}" / "sbin" / "rabbitmq-server", "#!/bin/sh\n")
    places = [f"{tmp_path}/nowhere/rabbitmq-server", f"{tmp_path}/rabbitmq_server-*/sbin/rabbitmq-server"]
    assert rabbitmq_server(places) == tmp_path / "rabbitmq_server-3.10.8" / "sbin" / "rabbitmq-server"


def test_wrapper_that_wants_to_be_the_service_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert rabbitmq_server([]) is None
    executable(tmp_path / "rabbitmq-server", "#!/bin/sh\ncd /var/lib/rabbitmq\nexec su rabbitmq\n")
    assert rabbitmq_server([]) is None
    executable(tmp_path / "rabbitmq-server", '#!/bin/sh\n. "$SCRIPTS_DIR/rabbitmq-env"\n')
    assert rabbitmq_server([]) == tmp_path / "rabbitmq-server"


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without RabbitMQ, and with no other program than those put into the folder that this returns."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(discovery, "rabbitmq_server", lambda: None)
    return programs


def found_from(home: Path, said: list[str]) -> discovery.Broker:
    return find_broker(load_settings({"ANTRIAN_HOME": str(home)}), tied_to_parent=True, say=said.append)


def test_with_nothing_the_answer_is_what_to_install(bare_machine: Path, tmp_path: Path) -> None:
    executable(bare_machine / "docker", "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n")
    said: list[str] = []
    with pytest.raises(NoBroker) as refused:
        found_from(tmp_path, said)
    assert str(refused.value) == (
        "there is no broker: set AMQP_URL, or install RabbitMQ (Debian, Ubuntu: apt-get install rabbitmq-server; "
        "macOS: brew install rabbitmq), or start Docker"
    )
    assert said == []


def test_docker_that_cannot_get_the_image_says_so(bare_machine: Path, tmp_path: Path) -> None:
    executable(bare_machine / "docker", DOCKER_WITHOUT_IMAGES)
    said: list[str] = []
    with pytest.raises(NoBroker) as refused:
        found_from(tmp_path, said)
    assert str(refused.value) == (
        "Docker could not run rabbitmq:4.3-management: docker: Error response from daemon: no route to host."
    )
    assert said == [
        "starting RabbitMQ in a container (rabbitmq:4.3-management); fetching it the first time may take minutes",
    ]


def test_machine_without_docker_or_apt(bare_machine: Path) -> None:
    assert list(bare_machine.iterdir()) == []
    assert not engine_answers()
    assert not debian_package.can_install()
