"""A lane under constant observation: a thread with a connection of its own, which any other thread may ask.

A status costs three round trips to the broker instead of a connection; questions that come together share one answer.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from antrian.broker.connection import open_channel
from antrian.domain.errors import AntrianError, BrokerError, BrokerUnreachable
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.lane_reader import LaneReader
from antrian.operations.lane.status import Status

#: Seconds between two tries to reach a broker that is gone, or that has no such lane yet.
_RECONNECT_PERIOD = 1.0

#: Seconds for which the connection is listened to when nobody asks; a question ends it.
_LISTEN = 0.5

#: Events that are kept for whoever asks what happened last.
_LATEST = 12

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """A lane at one moment.

    Attributes:
        status: of the lane.
        sending: the attempt that has no outcome yet.
    """

    status: Status
    sending: Event | None


class LaneObserver:
    """Observes one lane until stopped.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        lane: which lane.
        on_event: called in the observer's thread for each event of the lane that happens from now on.
    """

    def __init__(self, settings: Settings, urls: tuple[str, ...], lane: str, on_event: Callable[[Event], None]) -> None:
        self.lane = lane
        self._settings = settings
        self._urls = urls
        self._on_event = on_event
        self._since = self._away_since = self._told_at = 0.0
        self._questions: SimpleQueue[Future[Reading]] = SimpleQueue()
        self._latest: deque[Event] = deque(maxlen=_LATEST)
        self._asked: list[Future[Reading]] = []
        self._connection: BlockingConnection | None = None
        self._trouble: AntrianError = BrokerUnreachable("the broker has not been reached yet")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"antrian-observer-{lane}", daemon=True)

    @property
    def latest(self) -> tuple[Event, ...]:
        """What happened last, oldest first."""
        return tuple(self._latest)

    @property
    def away_since(self) -> float | None:
        """Since when the broker has not been reached, unix seconds; None while it is."""
        return self._away_since if self._connection is None else None

    def start(self) -> None:
        """Begin; returns at once."""
        self._since = self._away_since = time.time()
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stopping.set()
        self._wake()
        self._thread.join(5)

    def ask(self) -> "Future[Reading]":
        """The lane as it is now; the future raises `BrokerError` when the broker is away or has no such lane."""
        question: Future[Reading] = Future()
        if self._connection is None:
            question.set_exception(self._trouble)
            return question
        self._questions.put(question)
        self._wake()
        return question

    def _wake(self) -> None:
        connection = self._connection
        # A connection that is being closed takes no callbacks; its questions are answered by `_refuse`.
        with suppress(Exception):
            if connection is not None:
                connection.add_callback_threadsafe(_nothing)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._observe()
            except AntrianError as error:
                self._refuse(error)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next connection may be better, and silence is worst)
                _log.exception("observer.failed", lane=self.lane)
                self._refuse(BrokerUnreachable(f"the lane could not be observed: {type(error).__name__}"))
            self._stopping.wait(_RECONNECT_PERIOD)
        self._refuse(BrokerUnreachable("the admin process is shutting down"))

    def _observe(self) -> None:
        with open_channel(self._urls, name=f"antrian admin {self.lane}") as channel:
            self._latest.clear()
            # A new connection reads again what was told before.
            self._since = max(self._since, math.nextafter(min(self._told_at, time.time()), math.inf))
            reader = LaneReader(channel, self._settings, self.lane, self._hear)
            reader.catch_up()
            self._connection = channel.connection
            while not self._stopping.is_set():
                self._answer(reader)
                self._listen(channel)

    def _listen(self, channel: BlockingChannel) -> None:
        if self._questions.empty():
            channel.connection.process_data_events(_LISTEN)

    def _answer(self, reader: LaneReader) -> None:
        self._take_questions()
        if not self._asked:
            return
        reading = Reading(reader.status(), reader.sending)
        for question in self._asked:
            question.set_result(reading)
        self._asked.clear()

    def _take_questions(self) -> None:
        with suppress(Empty):
            while True:
                question = self._questions.get_nowait()
                if question.set_running_or_notify_cancel():
                    self._asked.append(question)

    def _hear(self, event: Event) -> None:
        if event.name == EventName.BARRIER:
            return
        self._latest.append(event)
        if event.at >= self._since:
            self._told_at = max(self._told_at, event.at)
            self._on_event(event)

    def _refuse(self, error: AntrianError) -> None:
        trouble = error if isinstance(error, BrokerError) else BrokerUnreachable(str(error))
        if self._connection is not None:
            self._away_since = time.time()
        self._trouble, self._connection = trouble, None
        self._take_questions()
        for question in self._asked:
            question.set_exception(trouble)
        self._asked.clear()


def _nothing() -> None:
    """What wakes a connection that is listening."""
