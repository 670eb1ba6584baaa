"""The consumer as a process: one thread for each lane, signals, and the exit code.

What is to be served is one value, `_wanted`. Whatever happens (a start, other lanes, the end of a lane, a signal)
changes that value or what runs, and `_reconcile` brings the two together: it stops what should not run, and starts
what should once nothing of that name runs any more. All of it happens in the main thread.
"""

import signal
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from types import FrameType

import structlog

from antrian.broker.connection import broker_urls
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError
from antrian.domain.lane import Lane, check_complete
from antrian.domain.settings import Settings
from antrian.providers.registry import make_provider
from consumer.lanes_command import LanesCommand, lanes_to_serve
from consumer.metrics import ConsumerMetrics
from consumer.metrics_server import metrics_server
from consumer.send_spans import SendSpans
from consumer.witness import Witness
from consumer.worker import LaneWorker

_log = structlog.get_logger()


@dataclass(slots=True)
class _Served:
    """A lane that a worker is at work on.

    Attributes:
        lane: as it is served.
        worker: which serves it.
        leaving: whether the worker was asked to end.
    """

    lane: Lane
    worker: LaneWorker
    leaving: bool = False


class ConsumerProcess:
    """Runs a worker for each lane until a signal comes, or until one of them cannot go on.

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
        self._wanted = lanes_to_serve(settings, only)
        check_complete(self._wanted.values())
        self._urls = broker_urls(settings)
        self._metrics = ConsumerMetrics(settings)
        self._command = LanesCommand(settings, self._urls, only, self.apply)
        #: Replaced and never changed, because other threads look at it.
        self._served: dict[str, _Served] = {}
        self._waiting: list[Callable[[], None]] = []
        #: What the main thread is to do next.
        self._tasks: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._stopping = False
        self._failure: BaseException | None = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT.

        Raises:
            PortBusy: the metrics' address cannot be listened on; nothing was begun.
            AntrianError: a lane cannot be served, and why; all others were stopped properly.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with self._metrics_served():
            self._command.start()
            self._reconcile()
            while self._served or not self._stopping:
                self._tasks.get()()
        if self._failure is not None:
            raise self._failure

    def apply(self, settings: Settings, when_done: Callable[[], None]) -> None:
        """Serve the lanes of these settings instead; lanes that are the same are not touched. From any thread.

        A lane that is gone or different finishes its send; a different one then goes on as it is described now, after
        the pause that is running.

        Args:
            settings: the process's own, with other lanes, which were checked.
            when_done: called once every lane is as it should be.
        """
        self._tasks.put(partial(self._take_over, settings, when_done))

    def _take_over(self, settings: Settings, when_done: Callable[[], None]) -> None:
        if self._stopping:
            return
        self._settings = settings
        self._wanted = lanes_to_serve(settings, self._only)
        self._waiting.append(when_done)
        self._reconcile()

    def _reconcile(self) -> None:
        for served in self._served.values():
            if served.lane != self._wanted.get(served.lane.name) and not served.leaving:
                served.leaving = True
                served.worker.stop()
        for name, lane in self._wanted.items():
            if name not in self._served:
                self._start(lane)
        if not any(served.leaving for served in self._served.values()):
            waiting, self._waiting = self._waiting, []
            for when_done in waiting:
                when_done()

    def _start(self, lane: Lane) -> None:
        provider = make_provider(lane, sandbox_port=self._settings.sandbox_port)
        counting = self._metrics.lane(lane, provider.name)
        names = Names(self._settings.whatsapp_queue_namespace)
        told: list[Witness] = [counting, SendSpans(names)]
        take = self._command.take
        worker = LaneWorker(lane.name, self._settings, self._urls, provider, told, apply_lanes=take)
        self._metrics.watch(counting, worker.view)
        served = _Served(lane, worker)
        self._served = {**self._served, lane.name: served}
        threading.Thread(target=self._serve, args=(served,), name="lane").start()

    def _serve(self, served: _Served) -> None:
        failure: BaseException | None = None
        try:
            served.worker.run()
        except AntrianError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 (a bug in one lane ends the process loudly; it is then restarted)
            _log.exception("lane.broken")
            failure = error
        finally:
            self._tasks.put(partial(self._ended, served, failure))

    def _ended(self, served: _Served, failure: BaseException | None) -> None:
        name = served.lane.name
        self._served = {other: running for other, running in self._served.items() if other != name}
        if failure is not None or not served.leaving:
            self._failure = self._failure or failure
            self._stop_all()
        elif name not in self._wanted:
            self._metrics.forget(name)
        self._reconcile()

    def _metrics_served(self) -> AbstractContextManager[object]:
        host, port = self._settings.consumer_metrics_host, self._settings.consumer_metrics_port
        return metrics_server(host, port, self._metrics.render, self._is_well) if port else nullcontext()

    def _is_well(self) -> bool:
        return all(served.worker.view().connected for served in self._served.values())

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        del number  # nothing else may happen in a signal handler: a SimpleQueue's put is safe here, a log line is not
        self._tasks.put(self._stop_all)

    def _stop_all(self) -> None:
        self._stopping = True
        self._wanted, self._waiting = {}, []
        self._reconcile()
