"""The consumer as a process: its lanes, its metrics, signals, and the exit code."""

import signal
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

from antrian.broker.connection import broker_urls
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.contacts.book_file import book_folder
from antrian.domain.lane import Lane, check_complete
from antrian.domain.settings import Settings
from antrian.providers.contract import Provider
from antrian.providers.registry import make_provider
from consumer.lanes_command import LanesCommand, lanes_to_serve
from consumer.metrics import ConsumerMetrics
from consumer.metrics_server import metrics_server
from consumer.observers import Observer
from consumer.send_spans import SendSpans
from consumer.served_lanes import ServedLanes


class ConsumerProcess:
    """Serves lanes until a signal comes, or until it cannot go on.

    Args:
        settings: of the process.
        only: names of the lanes to serve; None for all.

    Raises:
        NoBroker: there is no address to connect to.
        SettingsError: a lane lacks something; names all that is missing.
    """

    def __init__(self, settings: Settings, only: Collection[str] | None = None) -> None:
        self._settings = settings
        self._only = only
        lanes = lanes_to_serve(settings, only)
        check_complete(lanes.values())
        urls = broker_urls(settings)
        self._metrics = ConsumerMetrics(settings)
        self._command = LanesCommand(settings, urls, only, self.apply)
        self._lanes = ServedLanes(
            settings,
            urls,
            lanes,
            equip=self._equip,
            book=ContactBook(book_folder(settings)),
            forget=self._metrics.forget,
            command_for_all=self._command.take,
        )
        self._metrics.watch(self._lanes.snapshots)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            PortBusy: the metrics' address cannot be listened on; nothing was begun.
            AntrianError: a lane cannot be served, and why; all others were stopped properly.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with self._metrics_served():
            self._command.start()
            self._lanes.run()

    def apply(self, settings: Settings, when_done: Callable[[], None]) -> None:
        """Serve the lanes of these settings instead; lanes that are the same are not touched. From any thread.

        A lane that is gone or different finishes its send; a different one then goes on as it is described now, after
        the pause that is running.

        Args:
            settings: the process's own, with other lanes, which were checked.
            when_done: called once every lane is as it should be.
        """
        self._lanes.apply(settings, lanes_to_serve(settings, self._only), when_done)

    def _equip(self, lane: Lane, settings: Settings) -> tuple[Provider, Sequence[Observer]]:
        provider = make_provider(lane, sandbox_port=settings.sandbox_port)
        spans = SendSpans(Names(settings.whatsapp_queue_namespace))
        return provider, [self._metrics.lane(lane, provider.name), spans]

    def _metrics_served(self) -> AbstractContextManager[object]:
        host, port = self._settings.consumer_metrics_host, self._settings.consumer_metrics_port
        return metrics_server(host, port, self._metrics.render, self._is_well) if port else nullcontext()

    def _is_well(self) -> bool:
        return all(lane.connected for lane in self._lanes.snapshots())

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        del number  # nothing else may happen in a signal handler: a SimpleQueue's put is safe here, a log line is not
        self._lanes.stop()
