"""Taking a namespace away when nobody needs it any more."""

from contextlib import suppress

from declaration import delete
from pika.exceptions import AMQPError

from antrian.domain.errors import BrokerError
from antrian.domain.settings import Settings


def sweep(settings: Settings) -> None:
    """Delete what tests may have made: a broker with thousands of idle queues would slow down the others."""
    # A test may have left its broker in any state; sweeping is a courtesy, not a check.
    with suppress(BrokerError, AMQPError):
        delete(settings)
