import pytest
from stock import Stock

from admin_api.history.store import History, history_path
from broker.settings import Settings


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
