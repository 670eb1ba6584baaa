"""The consumer as a process: one thread for each lane, signals, and the exit code."""

import signal
import threading
from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from types import FrameType

import structlog

from broker.connection import broker_urls
from broker.errors import AntrianError
from broker.settings import Settings
from broker.topology import Names
from consumer.metrics import ConsumerMetrics
from consumer.metrics_server import metrics_server
from consumer.providers.registry import make_provider
from consumer.send_spans import SendSpans
from consumer.worker import LaneWorker

_log = structlog.get_logger()


class ConsumerProcess:
    """Runs a worker for each lane until a signal comes, or until one of them cannot go on.

    Args:
        settings: of the process.
        only: names of the lanes to serve; None for all.

    Raises:
        NoBroker: there is no address to connect to.
        SettingsError: the provider lacks a setting.
    """

    def __init__(self, settings: Settings, only: Collection[str] | None = None) -> None:
        self._settings = settings
        self._urls = broker_urls(settings)
        self._metrics = ConsumerMetrics(settings)
        self._workers = [self._worker(lane) for lane in settings.lanes if only is None or lane in only]
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            PortBusy: the metrics' address cannot be listened on; nothing was begun.
            AntrianError: a lane cannot be served, and why; all others were stopped properly.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        with self._metrics_served():
            self._run_lanes()
        if self._failure is not None:
            raise self._failure

    def _run_lanes(self) -> None:
        threads = [threading.Thread(target=self._serve, args=(worker,), name="lane") for worker in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _worker(self, lane: str) -> LaneWorker:
        provider = make_provider(self._settings.lanes[lane], sandbox_port=self._settings.sandbox_port)
        counting = self._metrics.lane(self._settings.lanes[lane], provider.name)
        names = Names(self._settings.whatsapp_queue_namespace)
        worker = LaneWorker(lane, self._settings, self._urls, provider, [counting, SendSpans(names)])
        self._metrics.watch(counting, worker.view)
        return worker

    def _metrics_served(self) -> AbstractContextManager[object]:
        host, port = self._settings.consumer_metrics_host, self._settings.consumer_metrics_port
        return metrics_server(host, port, self._metrics.render, self._is_well) if port else nullcontext()

    def _is_well(self) -> bool:
        return all(worker.view().connected for worker in self._workers)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        del number  # nothing else may happen in a signal handler: a SimpleQueue's put is safe here, a log line is not
        self._stop_all()

    def _stop_all(self) -> None:
        for worker in self._workers:
            worker.stop()

    def _serve(self, worker: LaneWorker) -> None:
        try:
            worker.run()
        except AntrianError as error:
            self._failure = error
        except Exception as error:  # noqa: BLE001 (a bug in one lane ends the process loudly; whoever runs us restarts it)
            _log.exception("lane.broken")
            self._failure = error
        finally:
            self._stop_all()
