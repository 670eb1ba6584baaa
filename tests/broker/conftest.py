from collections.abc import Iterator

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from queue_fixture import Stock

from antrian.broker.connection import open_channel
from antrian.domain.settings import Settings
from antrian.history.queries.history import History, history_path


@pytest.fixture
def channel(settings: Settings) -> Iterator[BlockingChannel]:
    """A channel for the test's own use."""
    with open_channel(settings.amqp_urls, name="test") as ours:
        yield ours


@pytest.fixture
def stock(settings: Settings) -> Stock:
    """The test's own queues, empty."""
    return Stock(settings)


@pytest.fixture
def history(settings: Settings) -> History:
    """The settings' own history, whoever writes it."""
    return History(history_path(settings))


@pytest.fixture
def two_lanes(settings: Settings) -> Stock:
    """Queues of the lanes `default` and `other`."""
    return Stock(settings.model_copy(update={"whatsapp_queue_lanes": ("default", "other=628111111111")}))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts this machine's broker for itself: on another broker it would only be the same again."""
    for item in items:
        if "own_node" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.own_node)
