"""A provider, a publisher and consumers, all on one test's own namespace."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from admin import AdminServer
from arrivals import Arrivals
from cli import Cli
from declaration import declare
from processes import ConsumerProcess
from queue_fixture import Stock
from records import Records

from antrian.domain.settings import Settings
from antrian.sandbox.server import SandboxServer
from publisher import Publisher

StartConsumer = Callable[..., ConsumerProcess]


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A provider that this test may break."""
    with SandboxServer() as server:
        yield server


@pytest.fixture
def arrivals(sandbox: SandboxServer) -> Arrivals:
    return Arrivals(sandbox)


@pytest.fixture
def lane(settings: Settings, sandbox: SandboxServer) -> Settings:
    """Settings for a lane that exists and sends through the test's sandbox."""
    ours = settings.model_copy(update={"whatsapp_api_url": sandbox.url})
    declare(ours)
    return ours


@pytest.fixture
def records(lane: Settings) -> Records:
    return Records(lane)


@pytest.fixture
def stock(lane: Settings) -> Stock:
    return Stock(lane, is_declared=True)


@pytest.fixture
def cli(lane: Settings) -> Cli:
    """The command line, as for this lane."""
    return Cli(lane)


@pytest.fixture
def publisher(lane: Settings) -> Iterator[Publisher]:
    with Publisher(lane, source="test", confirm_timeout=60) as ours:
        yield ours


@pytest.fixture
def consumer(lane: Settings, tmp_path: Path) -> Iterator[StartConsumer]:
    """Start consumers: `consumer()` for one with the lane's settings, `consumer(NAME="value")` for other settings."""
    with ExitStack() as running:
        numbers = count(1)

        def start(**more: str) -> ConsumerProcess:
            return running.enter_context(ConsumerProcess(lane, tmp_path / f"consumer-{next(numbers)}.log", **more))

        yield start


@pytest.fixture
def admin(lane: Settings, tmp_path: Path) -> Iterator[AdminServer]:
    """The admin side of one lane, running."""
    with AdminServer(lane, tmp_path / "admin.log") as server:
        yield server.ready()
