"""Tells the contacts stream of many people who are known already, in large batches with pipelined confirms."""

import time
from collections.abc import Callable, Iterator

from antrian.broker.connection import broker_urls
from antrian.broker.queue_scan.bulk_publish import BulkPublish
from antrian.broker.queue_scan.publication import Publication, event_publication
from antrian.broker.topology import Names
from antrian.domain import contact_event
from antrian.domain.errors import BrokerError
from antrian.domain.settings import Settings
from antrian.operations.contacts.contact_file import ContactFindings
from antrian.operations.contacts.contacts_stream import require_contacts_stream


class ContactImport:
    """One import; used once. To say again that somebody is known changes nothing, so it may be repeated at any time.

    Args:
        settings: of the process.
        sender: who knows the people: a `Lane.sender_key`.
        source: who imports them.
    """

    def __init__(self, settings: Settings, sender: str, source: str) -> None:
        self._urls = broker_urls(settings)
        self._names = Names(settings.whatsapp_queue_namespace)
        self._sender = sender
        self._source = source
        self._stopped = False

    def stop(self) -> None:
        """Publish nothing more; what is on its way is waited for."""
        self._stopped = True

    def run(self, findings: ContactFindings, on_progress: Callable[[int], None] = lambda _done: None) -> bool:
        """Publish everything; whether it was not stopped.

        Args:
            findings: in a file.
            on_progress: takes the number of contacts that were handed over so far.

        Raises:
            BrokerError: the broker went away, or does not take them; what it has by then is kept.
        """
        require_contacts_stream(self._urls, self._names)
        tally = BulkPublish(self._urls, self._groups(findings, on_progress), name="antrian contacts").run()
        if tally.refused:
            raise BrokerError("the broker did not take all of them: run the same command again")
        return not self._stopped

    def _groups(self, findings: ContactFindings, on_progress: Callable[[int], None]) -> Iterator[list[Publication]]:
        done = 0
        for zone, recipients in findings.batches():
            if self._stopped:
                return
            event = contact_event.known(
                self._sender, recipients, "import", at=time.time(), source=self._source, timezone=zone
            )
            yield [event_publication(self._names, event)]
            done += len(recipients)
            on_progress(done)
