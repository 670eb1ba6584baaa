"""The consumer as a process: its lanes, its metrics, signals, and the exit code."""

import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

from antrian.broker.connection import broker_urls
from antrian.broker.topology import Names
from antrian.domain.settings import Settings
from antrian.providers.contract import Provider
from antrian.providers.registry import make_provider
from consumer.lanes import Lanes
from consumer.metrics import ConsumerMetrics
from consumer.metrics_server import metrics_server
from consumer.observers import Observer
from consumer.send_spans import SendSpans


class ConsumerProcess:
    """Serves lanes until a signal comes, or until it cannot go on.

    Args:
        settings: of the process.
        lanes: which of the settings' lanes to serve.

    Raises:
        NoBroker: there is no address to connect to.
        SettingsError: the provider lacks a setting.
    """

    def __init__(self, settings: Settings, lanes: Sequence[str]) -> None:
        self._settings = settings
        self._metrics = ConsumerMetrics(settings)
        served = {lane: settings_of(settings, lane) for lane in lanes}
        self._lanes = Lanes(settings, broker_urls(settings), served, self._equip, self._metrics.forget)
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
            self._lanes.run()

    def apply(self, lanes: Mapping[str, Settings]) -> None:
        """Serve these lanes from now on, each with its settings (see `settings_of`); from any thread."""
        self._lanes.apply(lanes)

    def _equip(self, lane: str, settings: Settings) -> tuple[Provider, Sequence[Observer]]:
        provider = make_provider(settings)
        counting = self._metrics.lane(lane, provider.name, settings.whatsapp_queue_delay)
        return provider, [counting, SendSpans(Names(settings.whatsapp_queue_namespace))]

    def _metrics_served(self) -> AbstractContextManager[object]:
        host, port = self._settings.consumer_metrics_host, self._settings.consumer_metrics_port
        return metrics_server(host, port, self._metrics.render, self._is_well) if port else nullcontext()

    def _is_well(self) -> bool:
        return all(lane.connected for lane in self._lanes.snapshots())

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        del number  # nothing else may happen in a signal handler: a SimpleQueue's put is safe here, a log line is not
        self._lanes.stop()


def settings_of(settings: Settings, lane: str) -> Settings:
    """The settings that one lane is run with."""
    return settings.model_copy(update={"whatsapp_sender": settings.senders[lane]})
