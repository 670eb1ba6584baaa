"""All lanes under constant observation: one thread with one connection, which any other thread may ask.

A question about a lane costs three round trips to the broker instead of a connection; questions that come together
share one answer. A look at every lane is made between them, a lane at a time and not too often, so that it keeps nobody
waiting and costs the broker little however many lanes there are, and however often it is asked for.
"""

import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from antrian.broker.background_thread import BackgroundThread
from antrian.broker.connection import open_channel
from antrian.domain.errors import AntrianError, BrokerError, BrokerUnreachable
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.operations.lane.lanes_reader import LaneNotDeclared, LanesReader
from antrian.operations.lane.look_at_all import LookAtAll, Reading, Readings

#: Seconds between two tries to reach a broker that is gone.
_RECONNECT_PERIOD = 1.0

#: Seconds for which the connection is listened to when nobody asks; a question ends it.
_LISTEN = 0.5

#: Events of each lane that are kept for those who ask what happened last.
_LATEST = 12

_log = structlog.get_logger()


class LanesObserver:
    """Observes lanes until stopped.

    Args:
        settings: of the process.
        urls: the broker's addresses.
        lanes: those that a look at all lanes takes in.
        on_event: called in the observer's thread for each event of a lane that happens from now on.
    """

    def __init__(
        self, settings: Settings, urls: tuple[str, ...], lanes: Sequence[str], on_event: Callable[[Event], None]
    ) -> None:
        self.lanes = tuple(lanes)
        self._settings = settings
        self._urls = urls
        self._on_event = on_event
        self._started_at = self._away_since = 0.0
        #: When each lane's latest event that was told happened: a new connection reads again what was told before.
        self._told_at: dict[str, float] = {}
        self._known_until: dict[str, float] = {}
        self._told_before: dict[str, tuple[Event, ...]] = {}
        self._latest: defaultdict[str, deque[Event]] = defaultdict(partial(deque, maxlen=_LATEST))
        self._questions: SimpleQueue[tuple[str, Future[Reading]]] = SimpleQueue()
        self._questions_about_all: SimpleQueue[Future[Readings]] = SimpleQueue()
        self._asked: defaultdict[str, list[Future[Reading]]] = defaultdict(list)
        self._all = LookAtAll()
        self._connection: BlockingConnection | None = None
        self._trouble: AntrianError = BrokerUnreachable("the broker has not been reached yet")
        self._stopping = threading.Event()
        self._thread = BackgroundThread(self._run, name="antrian-observer", stopping=self._stopping)

    @property
    def away_since(self) -> float | None:
        """Since when the broker has not been reached, unix seconds; None while it is."""
        return self._away_since if self._connection is None else None

    @property
    def is_well(self) -> bool:
        """Whether the thread runs; false for some seconds after it had to be started again."""
        return self._thread.is_well

    def latest(self, lane: str) -> tuple[Event, ...]:
        """What happened last in a lane, oldest first."""
        return tuple(self._latest[lane]) if lane in self._latest else ()

    def start(self) -> None:
        """Begin; returns at once."""
        self._started_at = self._away_since = time.time()
        self._thread.start()

    def serve_lanes(self, settings: Settings) -> None:
        """From now on a look at all lanes takes in those of other settings."""
        self._settings, self.lanes = settings, tuple(settings.lanes)

    def stop(self) -> None:
        """End the thread and its connection."""
        self._stopping.set()
        self._wake()
        self._thread.join(5)

    def ask(self, lane: str) -> "Future[Reading]":
        """The lane as it is now; the future raises `BrokerError` when the broker is away or has no such lane."""
        answer: Future[Reading] = Future()
        if self._connection is None:
            answer.set_exception(self._trouble)
            return answer
        self._questions.put((lane, answer))
        self._wake()
        return answer

    def ask_all(self) -> "Future[Readings]":
        """All lanes, as they were at most `len(lanes) / LANES_PER_SECOND` seconds ago.

        The future raises `BrokerError` when the broker is away.
        """
        answer: Future[Readings] = Future()
        if self._connection is None:
            answer.set_exception(self._trouble)
            return answer
        self._questions_about_all.put(answer)
        self._wake()
        return answer

    def _wake(self) -> None:
        connection = self._connection
        # A connection that is being closed takes no callbacks; its questions are answered by `_refuse`.
        with suppress(Exception):
            if connection is not None:
                connection.add_callback_threadsafe(_nothing)

    # Everything below runs in the observer's own thread.

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._observe()
            except AntrianError as error:
                self._refuse(error)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next connection may be better, and silence is worst)
                _log.exception("observer.failed")
                self._refuse(BrokerUnreachable(f"the lanes could not be observed: {type(error).__name__}"))
            except BaseException:
                self._refuse(BrokerUnreachable("the observer of the lanes was lost"))
                raise
            self._stopping.wait(_RECONNECT_PERIOD)
        self._refuse(BrokerUnreachable("the admin process is shutting down"))

    def _observe(self) -> None:
        with open_channel(self._urls, name="antrian admin observer") as channel:
            self._told_before = {lane: tuple(events) for lane, events in self._latest.items()}
            self._latest.clear()
            now = time.time()
            self._known_until = {lane: min(told_at, now) for lane, told_at in self._told_at.items()}
            reader = LanesReader(channel, self._settings, self._hear)
            reader.catch_up(self.lanes)
            self._connection = channel.connection
            while not self._stopping.is_set():
                reader.settings = self._settings
                self._take_questions()
                self._answer(reader)
                self._all.go_on(reader, self.lanes)
                self._listen(channel)

    def _listen(self, channel: BlockingChannel) -> None:
        is_busy = self._all.is_wanted or not (self._questions.empty() and self._questions_about_all.empty())
        channel.connection.process_data_events(0 if is_busy else _LISTEN)

    def _take_questions(self) -> None:
        with suppress(Empty):
            while True:
                lane, answer = self._questions.get_nowait()
                if answer.set_running_or_notify_cancel():
                    self._asked[lane].append(answer)
        with suppress(Empty):
            while True:
                about_all = self._questions_about_all.get_nowait()
                if about_all.set_running_or_notify_cancel():
                    self._all.ask(about_all)

    def _answer(self, reader: LanesReader) -> None:
        """Answer what was asked about single lanes."""
        for lane in tuple(self._asked):
            try:
                reading = Reading.of(reader, lane)
            except LaneNotDeclared as error:
                for answer in self._asked.pop(lane):
                    answer.set_exception(error)
            else:
                for answer in self._asked.pop(lane):
                    answer.set_result(reading)

    def _hear(self, event: Event) -> None:
        if event.name == EventName.BARRIER:
            return
        self._latest[event.lane].append(event)
        if self._is_new(event):
            self._told_at[event.lane] = max(self._told_at.get(event.lane, -math.inf), event.at)
            self._on_event(event)

    def _is_new(self, event: Event) -> bool:
        """Whether it happened after our start, and was not told over an earlier connection."""
        if event.at < self._started_at or event.at <= self._known_until.get(event.lane, -math.inf):
            return False
        # By a clock that is ahead it happens after all that is known.
        return event not in self._told_before.get(event.lane, ())

    def _refuse(self, error: AntrianError) -> None:
        trouble = error if isinstance(error, BrokerError) else BrokerUnreachable(str(error))
        if self._connection is not None:
            self._away_since = time.time()
        self._trouble, self._connection = trouble, None
        self._take_questions()
        for answers in self._asked.values():
            for answer in answers:
                answer.set_exception(trouble)
        self._asked.clear()
        self._all.refuse(trouble)


def _nothing() -> None:
    """What wakes a connection that is listening."""
