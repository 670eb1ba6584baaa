"""The lanes of one process: each is a coroutine in the process's event loop, over the process's one connection.

Lanes can be added, changed and removed while the others go on: see `ServedLanes.apply`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import structlog

from antrian.broker.connection import connection_parameters
from antrian.broker.topology import Names
from antrian.contacts.book import ContactBook
from antrian.domain.control import EVERY_LANE, Command, Control
from antrian.domain.errors import AntrianError
from antrian.domain.events import Event
from antrian.domain.lane import Lane
from antrian.domain.settings import Settings
from antrian.providers.contract import Provider
from consumer.connection import Link
from consumer.event_loop import EventLoop
from consumer.inbox import (
    CommandReceived,
    Connected,
    ConnectionLost,
    ContactRecorded,
    LanesChanged,
    OutcomeRecorded,
    Signal,
    Stop,
)
from consumer.known_commands import KnownCommands
from consumer.lane.pace import stagger
from consumer.lane.snapshot import LaneSnapshot
from consumer.lane.worker import LaneWorker
from consumer.observers import Observer
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import LaneOutcomes, OutcomeReader
from consumer.provider_call import ProviderCalls
from consumer.set_up import SetUp

_log = structlog.get_logger()

#: Makes what sends for a lane, and those who are told of it.
Equip = Callable[[Lane, Settings], tuple[Provider, Sequence[Observer]]]


class ServedLanes:
    """Runs lanes until they are stopped, or until the process cannot go on.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        lanes: to serve, by name.
        equip: makes the provider and the observers of a lane.
        book: what is known of the recipients; one in memory when None.
        forget: told of a lane that is not served any more.
        command_for_all: handed an admin's commands that are for the process, and not for a lane.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        lanes: Mapping[str, Lane],
        *,
        equip: Equip,
        book: ContactBook | None = None,
        forget: Callable[[str], None] = lambda _lane: None,
        command_for_all: Callable[[Control], None] = lambda _control: None,
    ) -> None:
        self._settings = settings
        self._urls = urls
        self._equip = equip
        self._forget = forget
        self._command_for_all = command_for_all
        self._loop = EventLoop()
        self._calls = ProviderCalls(self._loop.inbox)
        self._reader = OutcomeReader()
        self._commands = KnownCommands()
        self._contacts = ContactsReader(book or ContactBook())
        self._wanted = dict(lanes)
        #: Replaced and never changed, because other threads look at it.
        self._workers: dict[str, LaneWorker] = {}
        self._when_changed: list[Callable[[], None]] = []
        self._stopping = False
        self._failure: BaseException | None = None
        self._set_up = SetUp(
            settings,
            urls,
            self._loop.inbox,
            self,
            reader=self._reader,
            contacts=self._contacts,
            lanes=lambda: {*self._settings.lanes.names, *self._workers},
            wake_lanes=self._wake_all,
        )
        for index, lane in enumerate(lanes.values()):
            self._add(lane, first_after=stagger(index, lane.delay))

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
            self._contacts.book.close()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Ask all lanes to end; from any thread, and from a signal handler."""
        self._loop.inbox.put((self, Stop()))

    def apply(self, settings: Settings, lanes: Mapping[str, Lane], when_done: Callable[[], None]) -> None:
        """Serve these lanes from now on; from any thread.

        A lane that is the same as before is not touched. One that is new begins to learn; one that is gone, or is sent
        in another way, first finishes the send that is under way.

        Args:
            settings: the process's own, with these lanes.
            lanes: to serve, by name.
            when_done: called once every lane is as it should be.
        """
        self._loop.inbox.put((self, LanesChanged(settings, dict(lanes), when_done)))

    def snapshots(self) -> list[LaneSnapshot]:
        """All lanes now; from any thread."""
        return [worker.snapshot() for worker in self._workers.values()]

    def receive(self, signal: Signal) -> None:
        """Take in what concerns the process, or pass it on to the lane that it is for."""
        match signal:
            case OutcomeRecorded(event, offset):
                outcomes = self._reader.take(event, offset)
                if outcomes is not None and (worker := self._workers.get(outcomes.lane)):
                    worker.link.wake()
            case ContactRecorded(event, offset):
                self._take_contact(event, offset)
            case CommandReceived(control):
                self._receive_command(control)
            case Stop():
                self._stop_all()
            case LanesChanged(settings, lanes, when_done):
                self._change(settings, dict(lanes), when_done)
            case _:
                self._set_up.receive(signal)
                if isinstance(signal, Connected | ConnectionLost):
                    self._wake_all()

    def _take_contact(self, event: Event | None, offset: int) -> None:
        if not self._contacts.take(event, offset):
            self._set_up.start_over()
        elif event is not None and (worker := self._workers.get(event.lane)):
            worker.outcomes.take_contact(event)
            worker.link.wake()

    def _receive_command(self, control: Control) -> None:
        if self._commands.knows(control):
            return
        if control.command is Command.APPLY_LANES:
            _log.info("control.received", command=control.command.value, actor=control.actor)
            self._command_for_all(control)
            return
        concerned = self._workers if control.lane == EVERY_LANE else {control.lane}
        for name in concerned:
            if (worker := self._workers.get(name)) is not None:
                worker.command(control)

    def _link(self) -> Link:
        heartbeat = self._settings.whatsapp_queue_heartbeat
        parameters = connection_parameters(self._urls, name="antrian consumer", heartbeat=heartbeat)
        names = Names(self._settings.whatsapp_queue_namespace)
        return Link(parameters, names, self._loop.inbox, self, lambda: len(self._workers), name="antrian-connection")

    # Lanes come and go.

    def _add(self, lane: Lane, known: LaneOutcomes | None = None, *, first_after: float = 0.0) -> LaneWorker:
        """The one place where a lane's worker is made."""
        provider, observers = self._equip(lane, self._settings)
        worker = LaneWorker(
            lane,
            self._settings,
            provider,
            observers,
            loop=self._loop,
            set_up=self._set_up,
            calls=self._calls,
            outcomes=known,
            first_after=first_after,
        )
        self._reader.reads_for(worker.outcomes)
        self._workers = {**self._workers, lane.name: worker}
        return worker

    def _start(self, worker: LaneWorker) -> None:
        worker.link.task = self._loop.start(worker.run(), partial(self._has_ended, worker))

    def _change(self, settings: Settings, lanes: dict[str, Lane], when_done: Callable[[], None]) -> None:
        if self._stopping:
            return
        self._settings, self._wanted = settings, lanes
        self._when_changed.append(when_done)
        for name, worker in self._workers.items():
            if worker.lane != lanes.get(name):
                worker.stop()
        for name, lane in lanes.items():
            if name not in self._workers:
                self._start(self._add(lane))
        self._tell_that_lanes_are_changed()

    def _has_ended(self, worker: LaneWorker, error: BaseException | None) -> None:
        """A lane's task has ended: because it was stopped, and perhaps only to begin again as it is described now."""
        name = worker.lane.name
        self._workers = {other: one for other, one in self._workers.items() if other != name}
        if error is not None:
            self._fail(error)
        if not self._stopping and name in self._wanted:
            self._start(self._add(self._wanted[name], worker.outcomes))
        else:
            self._reader.leave_out(worker.outcomes)
            self._forget(name)
        if not self._workers and self._stopping:
            self._set_up.end()
        self._tell_that_lanes_are_changed()

    def _tell_that_lanes_are_changed(self) -> None:
        if all(self._wanted.get(name) == worker.lane for name, worker in self._workers.items()):
            told, self._when_changed = self._when_changed, []
            for when_done in told:
                when_done()

    def _set_up_has_ended(self, error: BaseException | None) -> None:
        if error is not None:
            self._set_up.has_failed = True
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """The process cannot go on: stop all lanes properly."""
        if not isinstance(error, AntrianError):
            _log.error("consumer.broken", exc_info=error)
        self._failure = self._failure or error
        self._stop_all()

    def _stop_all(self) -> None:
        self._stopping, self._when_changed = True, []
        for worker in self._workers.values():
            worker.stop()
        if not self._workers:
            self._set_up.end()

    def _wake_all(self) -> None:
        for worker in self._workers.values():
            worker.link.wake()
