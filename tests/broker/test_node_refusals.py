"""What a private node refuses, and in which words; no server is started here."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import disk_usage
from urllib.parse import urlsplit

import pytest

from antrian.broker.node.failure import disk_is_too_full, why_it_ended
from antrian.broker.node.files import NodeFiles, private_node_files
from antrian.broker.node.greeting import greet
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.errors import NoBroker


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize("below", ["a file", "/proc"])
def test_unusable_home_is_one_sentence(tmp_path: Path, below: str) -> None:
    file = tmp_path / "a file"
    file.touch()
    home = tmp_path / below / "home"
    with pytest.raises(NoBroker, match=f"^the private broker's folder {home}/broker cannot be used: [^\n]+$"):
        PrivateNode(home).start(tied_to_parent=True)


@pytest.mark.parametrize("damage", ["{", "{}", "null"])
def test_damaged_identity_never_hides_messages(home: Path, damage: str) -> None:
    files = private_node_files(home)
    files.create()
    (files.folder / "node.json").write_text(damage)
    with pytest.raises(NoBroker, match=r"node.json is damaged: put it back, or remove "):
        PrivateNode(home).start(tied_to_parent=True)


def test_lost_identity_never_hides_messages(home: Path) -> None:
    files = private_node_files(home)
    files.create()
    (files.data / "antrian-12345678@127.0.0.1").mkdir()
    with pytest.raises(NoBroker, match=r"node.json is missing: put it back, or remove "):
        PrivateNode(home).start(tied_to_parent=True)


def test_a_node_that_was_never_started(home: Path) -> None:
    node = PrivateNode(home)
    assert not node.status().running
    assert not node.stop()
    with pytest.raises(NoBroker, match="no private broker has been started in "):
        _ = node.url


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("{error, enospc}", "the disk is full"),
        ("Failed to create dirty cpu scheduler thread: Cannot allocate memory", "there is not enough memory"),
        ("{eaddrinuse, x}", "another program has taken one of its ports"),
        ("[error] <0.132.0> ERROR: epmd error for host x: nxdomain", "epmd error for host x: nxdomain"),
        ("anything else", "it ended by itself"),
    ],
)
def test_why_it_ended_is_one_sentence(tmp_path: Path, said: str, cause: str) -> None:
    files = NodeFiles(tmp_path)
    files.create()
    files.console.write_text(f"BOOT FAILED\n{said}\n")
    assert why_it_ended(files) == f"the private broker in {tmp_path} did not start: {cause} (see {files.console})"


def test_a_disk_with_too_little_room_is_refused(tmp_path: Path) -> None:
    free = disk_usage(tmp_path).free
    assert disk_is_too_full(tmp_path, least=0) is None
    said = re.search(r" has (\d+) MB free", str(disk_is_too_full(tmp_path, least=2 * free)))
    assert said is not None
    # Others use the disk meanwhile.
    assert int(said[1]) == pytest.approx(free / 10**6, rel=0.2)


@pytest.mark.parametrize(
    "name", ["a[b]", "a{b}", "a*b", "a?b", "a\\b", "a\nb", b"a\xe9b".decode(errors="surrogateescape")]
)
def test_path_in_which_messages_would_be_lost_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NoBroker, match=r"^the private broker cannot keep messages in '[^\n]+: set ANTRIAN_HOME to "):
        PrivateNode(tmp_path / name).start(tied_to_parent=True)


def test_only_a_broker_of_that_name_is_greeted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(greet, port, node="antrian-12345678")
            visitor, _ = stranger.accept()
            with visitor:
                visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            assert answer.result() is None


def test_the_shared_broker_says_its_name(broker_url: str) -> None:
    assert greet(urlsplit(broker_url).port or 0, node="somebody-else") is None
