"""The lanes of one process: each is a coroutine in the process's event loop, over the process's one connection.

Lanes can be added, changed and removed while the others go on: see `Lanes.apply`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from antrian.broker.connection import connection_parameters
from antrian.broker.topology import Names
from antrian.domain.errors import AntrianError
from antrian.domain.settings import Settings
from antrian.providers.contract import Provider
from consumer.connection import Link
from consumer.event_loop import EventLoop
from consumer.inbox import (
    CommandReceived,
    Connected,
    ConnectionLost,
    LanesChanged,
    OutcomeRecorded,
    Signal,
    Stop,
)
from consumer.lane.snapshot import LaneSnapshot
from consumer.lane.worker import LaneWorker
from consumer.observers import Observer
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader
from consumer.provider_call import ProviderCalls
from consumer.set_up import SetUp

_log = structlog.get_logger()

#: Makes what sends for a lane, and those who are told of it.
Equip = Callable[[str, Settings], tuple[Provider, Sequence[Observer]]]


class Lanes:
    """Runs the lanes until they are stopped, or until the process cannot go on.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        lanes: the settings of each lane to serve, by its name.
        equip: makes the provider and the observers of a lane.
        forget: told of a lane that is not served any more.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        lanes: Mapping[str, Settings],
        equip: Equip,
        forget: Callable[[str], None] = lambda _lane: None,
    ) -> None:
        self._settings = settings
        self._urls = urls
        self._equip = equip
        self._forget = forget
        self._loop = EventLoop()
        self._calls = ProviderCalls(self._loop.inbox)
        self._reader = OutcomeReader()
        self._workers: dict[str, LaneWorker] = {}
        self._served: dict[str, Settings] = {}
        self._wanted: dict[str, Settings] = {}
        self._stopping = False
        self._failure: BaseException | None = None
        self._set_up = SetUp(
            settings,
            urls,
            self._loop.inbox,
            self,
            reader=self._reader,
            lanes=self._workers.keys,
            wake_lanes=self._wake_all,
        )
        for lane, lane_settings in lanes.items():
            self._add(lane, lane_settings)

    def run(self) -> None:
        """Serve the lanes until `stop`.

        Raises:
            BrokerRefused: the broker does not let this user in.
            TopologyConflict: the broker's queues are not the ones that the settings ask for.
        """
        self._set_up.task = self._loop.start(self._set_up.run(), self._set_up_has_ended)
        for worker in self._workers.values():
            self._start(worker)
        link = self._link()
        link.start()
        try:
            self._loop.run()
        finally:
            link.close()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask all lanes to end; from any thread, and from a signal handler."""
        self._loop.inbox.put((self, Stop()))

    def apply(self, lanes: Mapping[str, Settings]) -> None:
        """Serve these lanes from now on; from any thread.

        A lane with the same settings as before is not touched. One that is new begins to learn; one that is gone, or
        has other settings, first finishes the send that is under way.
        """
        self._loop.inbox.put((self, LanesChanged(dict(lanes))))

    def snapshots(self) -> list[LaneSnapshot]:
        """All lanes now; from any thread."""
        return [worker.snapshot() for worker in list(self._workers.values())]

    def receive(self, signal: Signal) -> None:
        """Take in what concerns the process, or pass it on to the lane that it is for."""
        match signal:
            case OutcomeRecorded(event, offset):
                outcomes = self._reader.take(event, offset)
                if outcomes is not None and (worker := self._workers.get(outcomes.lane)):
                    worker.link.wake()
            case CommandReceived(control):
                for lane, worker in self._workers.items():
                    if control.concerns(lane):
                        worker.command(control)
            case Stop():
                self._stop_all()
            case LanesChanged(lanes):
                self._change(dict(lanes))
            case _:
                self._set_up.receive(signal)
                if isinstance(signal, Connected | ConnectionLost):
                    self._wake_all()

    def _link(self) -> Link:
        heartbeat = self._settings.whatsapp_queue_heartbeat
        parameters = connection_parameters(self._urls, name="antrian consumer", heartbeat=heartbeat)
        names = Names(self._settings.whatsapp_queue_namespace)
        lanes = partial(len, self._workers)
        return Link(parameters, names, self._loop.inbox, self, lanes, name="antrian-connection")

    # Lanes come and go.

    def _add(self, lane: str, settings: Settings, known: LaneOutcomes | None = None) -> LaneWorker:
        """The one place where a lane's worker is made."""
        provider, observers = self._equip(lane, settings)
        worker = LaneWorker(
            lane,
            settings,
            provider,
            observers,
            loop=self._loop,
            set_up=self._set_up,
            calls=self._calls,
            outcomes=known,
        )
        self._reader.reads_for(worker.outcomes)
        self._workers[lane] = worker
        self._served[lane] = self._wanted[lane] = settings
        return worker

    def _start(self, worker: LaneWorker) -> None:
        worker.link.task = self._loop.start(worker.run(), lambda error: self._has_ended(worker, error))

    def _change(self, lanes: dict[str, Settings]) -> None:
        if self._stopping:
            return
        self._wanted = lanes
        for lane, worker in list(self._workers.items()):
            if lanes.get(lane) != self._served[lane]:
                _log.info("lane.changing" if lane in lanes else "lane.leaving", lane=lane)
                worker.stop()
        for lane, settings in lanes.items():
            if lane not in self._workers:
                _log.info("lane.added", lane=lane)
                self._start(self._add(lane, settings))

    def _has_ended(self, worker: LaneWorker, error: BaseException | None) -> None:
        """A lane's task has ended: because it was stopped, and perhaps only to begin again with other settings."""
        del self._workers[worker.lane], self._served[worker.lane]
        if error is not None:
            self._fail(error)
        wanted = self._wanted.get(worker.lane)
        if wanted is not None and not self._stopping:
            self._start(self._add(worker.lane, wanted, worker.outcomes))
        else:
            self._reader.leave_out(worker.outcomes)
            self._forget(worker.lane)
        if not self._workers and self._stopping:
            self._set_up.end()

    def _set_up_has_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """The process cannot go on: stop all lanes properly."""
        if not isinstance(error, AntrianError):
            _log.error("consumer.broken", exc_info=error)
        self._failure = self._failure or error
        self._stop_all()

    def _stop_all(self) -> None:
        self._stopping = True
        for worker in self._workers.values():
            worker.stop()
        if not self._workers:
            self._set_up.end()

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.link.wake()
