"""What every test may ask for: a real broker, a corner of it, and settings that point there."""

import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cleanup import sweep
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from antrian.broker.discovery import find_broker
from antrian.broker.node.private_node import PrivateNode
from antrian.domain.settings import Settings, load_settings

# How long an example takes depends on what else the machine is doing; how many there are does not.
hypothesis_settings.register_profile("antrian", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("antrian")

#: Where the tests' broker comes from: `embedded` (default), `testcontainers` (the image RABBITMQ_IMAGE), or `url` with
#: ANTRIAN_TEST_BROKER_URL.
KIND, URL = "ANTRIAN_TEST_BROKER", "ANTRIAN_TEST_BROKER_URL"

#: Bytes that the brokers of one run may need between them.
_ROOM = 4 << 30

_shared = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    """Run in parallel, all processes share one broker: the first of them starts it before the others exist."""
    runs_in_parallel = bool(config.getoption("numprocesses", default=None)) and not hasattr(config, "workerinput")
    if runs_in_parallel and os.environ.get(KIND, "embedded") != "url":
        config.stash[_shared] = ExitStack()
        os.environ[URL] = config.stash[_shared].enter_context(_broker())
        os.environ[KIND] = "url"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, and stays together: processes without work take over the last tests of others."""
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the shared broker."""
    if shared := config.stash.get(_shared, None):
        shared.close()


@contextmanager
def _broker() -> Iterator[str]:
    """The address of a broker, from wherever it is to come.

    A missing broker fails the tests: one that is skipped proves nothing.
    """
    kind = os.environ.get(KIND, "embedded")
    if kind == "url":
        yield os.environ[URL]
    elif kind == "embedded":
        with _embedded_broker() as url:
            yield url
    elif kind == "testcontainers":
        with _broker_container() as url:
            yield url
    else:
        pytest.fail(f"{KIND}={kind}: must be embedded, testcontainers or url")


@contextmanager
def _embedded_broker() -> Iterator[str]:
    """A broker in a folder of its own; RabbitMQ is installed if the machine has none and we may."""
    with _node_home() as home:
        broker = find_broker(load_settings({"ANTRIAN_HOME": str(home)}), tied_to_parent=True)
        try:
            yield broker.url
        finally:
            broker.stop()


@contextmanager
def _broker_container() -> Iterator[str]:
    # The helper that would remove what a killed run leaves behind is one more image, which may be out of reach.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    # Imported late, when the variables are set; most runs need neither this nor Docker.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library warns of its own ways
        from testcontainers.community.rabbitmq import RabbitMqContainer  # noqa: PLC0415

    image = os.environ.get("RABBITMQ_IMAGE", "rabbitmq:4.3-management")
    # In memory: every test makes some fifty objects, and nothing of them must outlive the run.
    with RabbitMqContainer(image).with_tmpfs_mount("/var/lib/rabbitmq") as container:
        # Not the bridge's address, which the library chooses in places: tests put wires in between, on this machine.
        host = os.environ.get("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
        yield f"amqp://guest:guest@{host}:{container.get_exposed_port(5672)}/%2F"


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """Address of the broker that all tests of a run share."""
    with _broker() as url:
        yield url


@contextmanager
def _node_home() -> Iterator[Path]:
    # A node writes until its last moment; what it leaves after its stop is of no interest.
    with tempfile.TemporaryDirectory(prefix="antrian-test-", dir=_in_memory(), ignore_cleanup_errors=True) as home:
        yield Path(home)


def _in_memory() -> Path | None:
    """A folder in memory, if there is room: a fifth of what a broker does for these tests is to write to its disk.

    What a node has written there outlives its own death, however sudden, as it must.
    """
    folder = Path("/dev/shm")  # noqa: S108 (a folder of a random name is made in it)
    has_room = folder.is_dir() and shutil.disk_usage(folder).free > _ROOM
    return folder if has_room else None


@pytest.fixture(scope="session")
def _private_home() -> Iterator[Path]:
    with _node_home() as home:
        yield home
        PrivateNode(home).stop()


@pytest.fixture
def own_node(_private_home: Path) -> PrivateNode:
    """A running private node that the test may stop, start or kill (`status().pid`): nothing else uses it meanwhile.

    The next test of this process gets it as it was left, started again if need be, which takes some 6 s.
    """
    node = PrivateNode(_private_home)
    node.start(tied_to_parent=True)
    return node


@pytest.fixture
def namespace() -> str:
    """A prefix for exchanges and queues that no other test uses."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def settings(broker_url: str, namespace: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of one test: the shared broker, a namespace of its own, and pauses short enough to wait for."""
    ours = load_settings(
        {
            "AMQP_URL": broker_url,
            "ANTRIAN_HOME": str(tmp_path / "home"),
            "WHATSAPP_QUEUE_NAMESPACE": namespace,
            "WHATSAPP_QUEUE_DELAY": "0.3",
            "WHATSAPP_QUEUE_RETRY_DELAYS": "1",
            "WHATSAPP_QUEUE_TYPE": os.environ.get("ANTRIAN_TEST_QUEUE_TYPE", "classic"),
        },
    )
    yield ours
    sweep(ours)
