"""Lanes that change while they run: nothing lost, nothing twice, no pause shortened, and the others not touched."""

import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from admin import AdminServer
from cli import Cli
from processes import ANTRIAN
from queue_fixture import Stock

from admin_api.auth.roles import Role
from antrian.broker.topology import Names
from antrian.domain.settings import Settings
from publisher import Publisher
from waiting import wait_until

PHONE = "081234567890"
DELAY = 1.0


class LanesFile:
    """A lanes.toml whose lanes send through the test's sandbox, each with a sender of its own."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self._url = url

    def write(self, **lanes: dict[str, Any]) -> None:
        self.path.write_text("".join(self._table(name, keys) for name, keys in lanes.items()))

    def _table(self, name: str, keys: dict[str, Any]) -> str:
        sender = f"62811{ord(name):06}"
        values = {"provider": "sandbox", "url": self._url, "sender": sender, "delay": DELAY} | keys
        lines = (f"{key} = {value!r}".replace("'", '"') for key, value in values.items())
        return f"[lanes.{name}]\n" + "\n".join(lines) + "\n"


@pytest.fixture
def file(tmp_path: Path, sandbox) -> LanesFile:
    made = LanesFile(tmp_path / "lanes.toml", sandbox.url)
    made.write(a={}, b={}, c={})
    return made


@pytest.fixture
def lane(lane: Settings, file: LanesFile) -> Settings:
    """Three lanes of a file, in the broker."""
    ours = lane.model_copy(update={"whatsapp_queue_lanes_file": file.path}).with_lanes_read_again()
    Stock(ours)
    return ours


@pytest.fixture
def cli(lane: Settings, file: LanesFile) -> Cli:
    class WithFile(Cli):
        def environment(self, **more: str) -> dict[str, str]:
            return super().environment(**{"WHATSAPP_QUEUE_LANES_FILE": str(file.path)} | more)

    return WithFile(lane)


class Sends:
    """What arrived at the provider, lane by lane; a message's text is its lane and a number."""

    def __init__(self, arrivals, publisher: Publisher) -> None:
        self._arrivals = arrivals
        self._publisher = publisher
        self._published: list[str] = []

    def publish(self, count: int, *lanes: str) -> None:
        for number in range(count):
            for lane in lanes:
                text = f"{lane} {len(self._published)} {number}"
                self._published.append(text)
                self._publisher.queue_message(PHONE, text, lane=lane)

    def of(self, lane: str) -> list[float]:
        return [one.at for one in self._arrivals.all() if one.submission.message.startswith(f"{lane} ")]

    def gaps(self, lane: str) -> list[float]:
        return [later - earlier for earlier, later in pairwise(self.of(lane))]

    def wait_for(self, **counts: int) -> None:
        wait_until(lambda: all(len(self.of(lane)) >= n for lane, n in counts.items()), 60, f"{counts} have arrived")

    def assert_each_once(self, *lanes: str) -> None:
        arrived = [text for text in self._arrivals.texts() if text.split()[0] in lanes]
        assert sorted(arrived) == sorted(text for text in self._published if text.split()[0] in lanes)


@pytest.fixture
def sends(arrivals, publisher: Publisher) -> Iterator[Sends]:
    return Sends(arrivals, publisher)


def events(log: str, name: str, lane: str) -> int:
    return sum(name in line and f'"lane": "{lane}"' in line for line in log.splitlines())


def ready(consumer, *lanes: str) -> None:
    wait_until(lambda: all(events(consumer.log(), "lane.ready", one) for one in lanes), 60, f"{lanes} are served")


def test_lanes_change_join_and_leave_while_messages_flow(lane, file, cli, consumer, sends, stock):
    active, standby = (consumer(WHATSAPP_QUEUE_LANES_FILE=str(file.path)) for _ in range(2))
    ready(active, "a", "b", "c")
    ready(standby, "a", "b", "c")
    sends.publish(9, "a", "b", "c")
    sends.wait_for(a=3, b=3, c=3)

    file.write(a={"delay": 2.0}, b={}, d={})
    done = cli.json("lanes", "apply")

    assert (done["done"], done["silent"], len(done["answers"])) == (True, 0, 2)
    for answer in done["answers"]:
        assert (answer["added"], answer["changed"], answer["removed"]) == (["d"], ["a"], ["c"])
    sent_of_c, sent_of_a = len(sends.of("c")), len(sends.of("a"))
    assert done["left"] == {"c": 9 - sent_of_c}
    sends.publish(3, "a", "d")
    sends.wait_for(a=12, b=9, d=3)
    sends.assert_each_once("a", "b", "d")
    assert len(sends.of("c")) == sent_of_c
    assert stock.count(Names(lane.whatsapp_queue_namespace).lane("c")) == 9 - sent_of_c
    for name in ("a", "b", "c", "d"):
        assert min(sends.gaps(name)) >= DELAY
    # The pause that ran when the lane changed may be the old one; from the next send on, it is the new one.
    assert min(sends.gaps("a")[sent_of_a:]) >= 2.0
    for process in (active, standby):
        assert events(process.log(), "lane.left", "b") == 0
        assert events(process.log(), "lane.left", "c") == 1


def test_a_wrong_file_changes_nothing_and_every_fault_is_named(file, cli, consumer, sends, tmp_path):
    own = tmp_path / "own.toml"
    shutil.copy(file.path, own)
    process = consumer(WHATSAPP_QUEUE_LANES_FILE=str(own))
    sends.publish(3, "a")
    right = file.path.read_text()

    file.path.write_text(right + '[lanes.d]\nprovider = "sandbx"\ndelai = 3\nkey = "geheim"\ntimezone = "Mars"\n')
    wrong = cli.run("lanes", "apply")

    assert wrong.returncode == 2
    for word in ("[lanes.d] provider", "did you mean sandbox?", "[lanes.d] delai", "did you mean delay?", "timezone"):
        assert word in wrong.stderr
    assert "geheim" not in wrong.stderr
    assert "lanes.refused" not in process.log()

    # The consumer's own file is what counts for it: each reads and checks its own.
    file.path.write_text(right)
    own.write_text(right.replace("delay = 1.0", "delay = -1", 1))
    refused = cli.json("lanes", "apply", code=1)
    assert "[lanes.a] delay: must be a number" in " ".join(refused["answers"][0]["reasons"])
    # Two lanes that exchange their senders would send closer than the delay through both.
    swapped = right.replace("62811000097", "x").replace("62811000098", "62811000097").replace('"x"', '"62811000098"')
    own.write_text(swapped)
    refused = cli.json("lanes", "apply", code=1)
    assert "lane a is given the sender that lane b sends with" in " ".join(refused["answers"][0]["reasons"])

    # Another file than the one that was applied is right by itself, and is not this one.
    own.write_text(right + "# mine\n")
    other = cli.json("lanes", "apply", code=1)
    assert [answer["result"] for answer in other["answers"]] == ["applied"]
    sends.wait_for(a=3)
    assert min(sends.gaps("a")) >= DELAY
    assert "lane.left" not in process.log()


def test_a_consumer_that_is_killed_while_it_applies_serves_the_new_file_when_it_is_back(file, cli, consumer, sends):
    process = consumer(WHATSAPP_QUEUE_LANES_FILE=str(file.path))
    ready(process, "a", "b", "c")
    sends.publish(6, "a", "b")
    sends.wait_for(a=2, b=2)

    file.write(a={"delay": 1.5}, b={}, d={})
    with subprocess.Popen([ANTRIAN, "lanes", "apply"], env=cli.environment(), stdout=subprocess.DEVNULL) as command:
        wait_until(lambda: "lanes.accepted" in process.log(), 60, "the consumer has taken the lanes", every=0.005)
        process.kill()
        command.kill()
    sends.publish(2, "d")
    process.start()

    sends.wait_for(a=6, b=6, d=2)
    sends.assert_each_once("a", "b", "d")
    for name in ("a", "b", "d"):
        assert min(sends.gaps(name)) >= DELAY
    assert cli.json("lanes", "apply")["done"]


def test_without_a_consumer_the_file_is_checked_and_its_queues_are_made(lane, file, cli, stock):
    file.write(a={}, e={"daily_cap": 5})

    told = cli.say("lanes", "apply")

    assert "No consumer is running" in told
    assert stock.count(Names(lane.whatsapp_queue_namespace).lane("e")) == 0
    listed = cli.json("lanes")
    assert [(one["name"], one["not_kept"]) for one in listed["lanes"]] == [("a", []), ("e", [])]
    assert "no lane 'c'" in cli.run("publish", PHONE, "x", "--lane", "c").stderr
    assert cli.run("lanes", "apply", WHATSAPP_QUEUE_LANES_FILE="").returncode == 2


def test_the_admin_side_knows_a_lane_as_soon_as_the_file_has_it(lane, file, tmp_path, cli):
    with AdminServer(lane, tmp_path / "admin.log", WHATSAPP_QUEUE_LANES_FILE=str(file.path)) as server:
        operator = server.ready().client(Role.OPERATOR)

        def code(lane: str) -> int:
            return operator.ask("GET", "/status", params={"lane": lane}).status_code

        assert (code("b"), code("d")) == (200, 404)

        file.write(a={"delay": 3}, d={"delay": 7})
        wait_until(lambda: code("d") == 200, 60, "the new lane is there")

        status = operator.get("/status", lane="d")
        assert (status["lanes"], status["delay"], status["is_sandbox"]) == (["a", "d"], 7, True)
        assert code("b") == 404
        message = {"phone_number": PHONE, "message": "Halo"}
        assert operator.post("/send-test", message, params={"lane": "d"})["message_id"]
        assert [one["delay"] for one in operator.get("/doctor")["lanes"]] == [3, 7]

        file.path.write_text("[lanes.a]\nprovider = 3\n")
        wait_until(lambda: "lanes.wrong" in server.log(), 60, "the admin side has seen the wrong file")
        assert code("d") == 200
        assert cli.run("lanes").returncode == 2
