"""Taking a namespace away when nobody needs it any more."""

from contextlib import suppress

from antrian.broker.connection import open_channel
from antrian.broker.topology import topology
from antrian.domain.errors import BrokerError
from antrian.domain.settings import Settings


def sweep(settings: Settings) -> None:
    """Delete what tests may have made: a broker with thousands of idle queues would slow down the others."""
    ours = topology(settings)
    # A test may have left its broker in any state; sweeping is a courtesy, not a check.
    with suppress(BrokerError), open_channel(settings.amqp_urls, name="test sweep") as channel:
        for queue in ours.queues:
            channel.queue_delete(queue.name)
        for exchange in ours.exchanges:
            channel.exchange_delete(exchange.name)
