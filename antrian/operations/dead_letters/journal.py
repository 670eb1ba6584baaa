"""Writes single events about dead letters into the journal."""

import time
from collections.abc import Mapping

from antrian.broker.connection import broker_urls
from antrian.broker.event_log import write_events
from antrian.broker.topology import Names
from antrian.domain.events import Event
from antrian.domain.settings import Settings


class Journal:
    """Publishes events, each confirmed, each over a connection of its own; usable from any thread.

    Args:
        settings: of the process.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings.whatsapp_queue_namespace)

    def record(
        self,
        name: str,
        actor: str,
        details: Mapping[str, object],
        *,
        lane: str = "",
        message_id: str = "",
        generation: int = 0,
    ) -> None:
        """Write an event that happens now.

        Raises:
            BrokerError: it is not in the journal.
            NoBroker: there is no broker.
        """
        event = Event(name, time.time(), lane, message_id, generation, source=actor, details=details)
        write_events(broker_urls(self._settings), self._names, [event], name="antrian dead letters")
