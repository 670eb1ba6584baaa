"""Makes each new connection ready for all lanes at once: the topology, the commands, the outcomes stream.

    connected → topology of all lanes checked → commands are heard → both streams are read from where they were left
              → ready

A lane whose channel broke, or that was added, has its own part of the topology checked again; the others go on.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import structlog

from antrian.broker import topology_sync
from antrian.broker.connection import open_channel
from antrian.broker.topology import topology
from antrian.domain.errors import BrokerRefused, BrokerUnreachable
from antrian.domain.settings import Settings
from consumer.event_loop import Inbox, LoopTask, Receiver, paused
from consumer.inbox import Blocked, Connected, ConnectionLost, Listening, Signal, StreamCancelled, TopologyChecked
from consumer.outcomes.contacts import ContactsReader
from consumer.outcomes.reader import OutcomeReader
from consumer.outcomes.writer import Disconnected

if TYPE_CHECKING:
    from consumer.connection import BrokerConnection

#: Seconds between tries when the broker answers but the topology cannot be made.
TOPOLOGY_PAUSE = 1.0

_log = structlog.get_logger()


class SetUp:
    """One process's connection, as the event loop sees it.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        inbox: where the answers of the topology check are put.
        process: receives them, and passes them on to this.
        reader: reads the outcomes stream for all lanes.
        contacts: reads the contacts stream for all lanes.
        lanes: the names of those whose queues must be there.
        wake_lanes: called when something has changed that all lanes may be waiting for.

    Attributes:
        task: the coroutine that runs this.
        connection: the present one; None while there is none.
        reader: see above.
        contacts: see above.
        has_failed: whether no connection will be made ready any more.
    """

    def __init__(
        self,
        settings: Settings,
        urls: Sequence[str],
        inbox: Inbox,
        process: Receiver,
        *,
        reader: OutcomeReader,
        contacts: ContactsReader,
        lanes: Callable[[], Collection[str]],
        wake_lanes: Callable[[], None],
    ) -> None:
        self.task: LoopTask | None = None
        self.connection: BrokerConnection | None = None
        self.has_failed = False
        self.reader = reader
        self.contacts = contacts
        self._settings = settings
        self._urls = urls
        self._inbox = inbox
        self._process = process
        self._lanes = lanes
        self._wake_lanes = wake_lanes
        self._refusal: BrokerRefused | None = None
        self._ever_connected = False
        self._ending = False
        self._listening = False
        self._is_read = False
        self._checked: set[str] = set()
        self._asked: set[str] = set()
        self._answer: TopologyChecked | None = None

    def receive(self, signal: Signal) -> None:
        """Take in what happens to the connection; see `consumer.event_loop.Receiver`."""
        match signal:
            case Connected(connection):
                self.connection, self._refusal, self._ever_connected = connection, None, True
                self._listening = self._is_read = False
                self._checked.clear()
                self._asked.clear()
            case ConnectionLost(error):
                self.connection = None
                self._refusal = error if isinstance(error, BrokerRefused) else None
                _log.warning("broker.gone", reason=str(error))
            case Listening():
                self._listening = True
            case TopologyChecked():
                self._answer = signal
            case StreamCancelled(subscription):
                _log.warning("subscription.cancelled", subscription=subscription)
                (self.contacts if subscription == "contacts" else self.reader).lose_position()
                self.start_over()
            case Blocked(reason):
                _log.warning("broker.blocked" if reason else "broker.unblocked", reason=reason)
        self._wake()

    def ask_for(self, lane: str) -> None:
        """Have a lane's part of the topology looked after, before it is used (again)."""
        self._checked.discard(lane)
        self._asked.add(lane)
        self._wake()

    def is_ready_for(self, lane: str) -> bool:
        """Whether the lane's topology is there, every command is heard and the streams are read."""
        return self._is_read and lane in self._checked

    def start_over(self) -> None:
        """Give up the connection and make another one."""
        if self.connection is not None:
            self.connection.drop()

    def end(self) -> None:
        """No lane is left."""
        self._ending = True
        self._wake()

    async def run(self) -> None:
        """Make one connection after the other ready, until `end`.

        Raises:
            BrokerRefused: the broker does not let this user in, or not let it make what is missing.
            TopologyConflict: the broker's queues are not the ones that the settings ask for.
        """
        while not self._ending:
            try:
                await self._wait(lambda: self.connection is not None or self._is_refused())
                if self._is_refused() and self._refusal:
                    raise self._refusal
                if self.connection is not None:
                    await self._serve(self.connection)
            except Disconnected:
                _log.info("broker.reconnecting")
            except BrokerUnreachable as error:
                _log.warning("broker.trouble", reason=str(error))
                if self.connection is not None:
                    self.connection.drop()
                    self.connection = None
                    self._wake_lanes()
                await self._wait(lambda: False, until=time.monotonic() + TOPOLOGY_PAUSE)

    async def _serve(self, connection: "BrokerConnection") -> None:
        await self._check(connection, set(self._lanes()))
        connection.listen()
        await self._wait(lambda: self._listening, on=connection)
        connection.read_outcomes(self.reader.resume())
        connection.read_contacts(self.contacts.resume())
        self._is_read = True
        self._wake_lanes()
        while not self._ending:
            await self._wait(lambda: bool(self._asked - self._checked), on=connection)
            if asked := self._asked - self._checked:
                await self._check(connection, asked)
                self._wake_lanes()

    async def _check(self, connection: "BrokerConnection", lanes: set[str]) -> None:
        """Make sure that these lanes' topology is there.

        Raises:
            Disconnected: the connection broke.
            BrokerError: something is in the way.
        """
        self._asked -= lanes
        wanted, self._answer = frozenset(lanes), None
        threading.Thread(target=self._apply, args=(wanted,), daemon=True, name="antrian-topology").start()
        await self._wait(lambda: self._answer is not None and self._answer.lanes is wanted, despite_disconnection=True)
        answer = self._answer
        if answer is not None and answer.error is not None:
            raise answer.error
        if self.connection is not connection:
            raise Disconnected
        self._checked |= lanes

    def _apply(self, lanes: frozenset[str]) -> None:
        """In a thread: it is done over a connection of its own, one question after the other."""
        error: Exception | None = None
        try:
            wanted = topology(self._settings, sorted(lanes))
            with open_channel(self._urls, name="antrian consumer set-up") as channel:
                topology_sync.apply(channel.connection, wanted)
        except Exception as raised:  # noqa: BLE001 (raised again in the event loop)
            error = raised
        self._inbox.put((self._process, TopologyChecked(lanes, error)))

    def _is_refused(self) -> bool:
        return self._refusal is not None and not self._ever_connected

    async def _wait(
        self,
        condition: Callable[[], bool],
        *,
        on: "BrokerConnection | None" = None,
        until: float | None = None,
        despite_disconnection: bool = False,
    ) -> None:
        """Wait until the condition holds, until `until`, or until there is nothing left to serve.

        Raises:
            Disconnected: the connection `on` is gone.
        """
        while not condition() and (not self._ending or despite_disconnection):
            if on is not None and self.connection is not on:
                raise Disconnected
            if until is not None and time.monotonic() >= until:
                return
            await paused(until)

    def _wake(self) -> None:
        if self.task is not None:
            self.task.wake()
