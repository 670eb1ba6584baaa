"""`antrian status --watch`: one lane, live, over one connection for as long as there is one."""

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from rich.console import Console
from rich.live import Live

from antrian.broker.connection import broker_urls, open_channel
from antrian.cli.lane_now import with_history
from antrian.cli.status_view import status_line, watch_screen
from antrian.cli.terminal import print_json
from antrian.domain.errors import BrokerError, NoBroker
from antrian.domain.event_name import EventName
from antrian.domain.events import Event
from antrian.domain.settings import Settings
from antrian.history.projection.history_file import history_path
from antrian.operations.lane.held_now import HeldNow
from antrian.operations.lane.lane_reader import LaneReader
from antrian.operations.lane.recipients import Recipients
from antrian.operations.lane.status import Status

#: Seconds between two readings on a terminal, and where every reading is one more line.
LIVE_PERIOD = 0.25
LINE_PERIOD = 1.0

#: Seconds between two tries to reach a broker that is gone.
_RECONNECT_PERIOD = 1.0

#: Events kept for the screen.
_LATEST = 8


class _NobodyReads(Exception):
    """What we write to is closed or full; an exception of its own, because a connection raises OSError as well."""


class Screen(Protocol):
    """What a watch draws on."""

    period: float

    def draw(self, status: Status, latest: deque[Event], trouble: str) -> None:
        """Show a reading, and why there is no newer one."""


def watch(settings: Settings, lane: str, *, as_json: bool) -> None:
    """Show the lane until Ctrl-C; a broker that goes away is waited for.

    Raises:
        BrokerError: the broker was not there, or has no such lane, to begin with.
    """
    try:
        if as_json or not sys.stdout.isatty():
            _Watch(settings, lane, _Lines(as_json=as_json)).run()
        else:
            with Live(console=Console(), auto_refresh=False) as live:
                _Watch(settings, lane, _Table(live, Recipients(history_path(settings)))).run()
    except KeyboardInterrupt:
        return
    except _NobodyReads as error:
        raise error.__cause__ or error from None


class _Watch:
    """Reads a lane again and again, and has each reading drawn."""

    def __init__(self, settings: Settings, lane: str, screen: Screen) -> None:
        self._settings = settings
        self._lane = lane
        self._screen = screen
        self._latest: deque[Event] = deque(maxlen=_LATEST)
        self._status: Status | None = None
        self._held = HeldNow()

    def run(self) -> None:
        """Go on for ever."""
        while True:
            try:
                self._read_on_one_connection()
            except (BrokerError, NoBroker) as error:
                if self._status is None:
                    raise
                self._draw(self._status, str(error))
                time.sleep(_RECONNECT_PERIOD)

    def _read_on_one_connection(self) -> None:
        with open_channel(broker_urls(self._settings), name="antrian status") as channel:
            self._latest.clear()
            reader = LaneReader(channel, self._settings, self._lane, self._remember)
            reader.catch_up()
            while True:
                self._status = with_history(reader.status(), self._settings, self._held)
                self._draw(self._status, "")
                reader.listen(self._screen.period)

    def _draw(self, status: Status, trouble: str) -> None:
        try:
            self._screen.draw(status, self._latest, trouble)
        except OSError as error:
            raise _NobodyReads from error

    def _remember(self, event: Event) -> None:
        if event.name != EventName.BARRIER:
            self._latest.append(event)


class _Table:
    """A table that is drawn over itself."""

    period = LIVE_PERIOD

    def __init__(self, live: Live, recipients: Recipients) -> None:
        self._live = live
        self._recipients = recipients

    def draw(self, status: Status, latest: deque[Event], trouble: str) -> None:
        screen = watch_screen(status, latest, trouble, time.time(), self._recipients.of(latest))
        self._live.update(screen, refresh=True)


class _Lines:
    """One line for each reading, for a file or another program."""

    period = LINE_PERIOD

    def __init__(self, *, as_json: bool) -> None:
        self._write: Callable[[Status], None] = self._write_json if as_json else self._write_words
        self._trouble = ""

    def draw(self, status: Status, latest: deque[Event], trouble: str) -> None:
        del latest
        if not trouble:
            self._write(status)
        elif trouble != self._trouble:
            sys.stderr.write(f"{trouble}; trying again\n")
        self._trouble = trouble
        sys.stdout.flush()

    def _write_json(self, status: Status) -> None:
        print_json(status.as_json())

    def _write_words(self, status: Status) -> None:
        sys.stdout.write(f"{status_line(status)}\n")
